/** The state that all parts of a verification share. */
import type { BoundedList } from '../../data/bounded-list.ts';
import type { CidSet } from '../../data/cid-set.ts';
import type { Fault } from '../../data/fault.ts';
import type { RepoErrorCode } from '../../errors.ts';
import type { Progress } from '../long-work.ts';
import type { RepoParts } from '../open-parts.ts';

export interface Search {
  readonly parts: RepoParts;
  readonly faults: BoundedList<Fault>;
  add(fault: Fault): void;
  readonly tally: { -readonly [K in keyof Progress]: Progress[K] };
  /** Blocks whose bytes match their CIDs. */
  sound: CidSet;
  /** Blocks whose bytes do not match. Each has been reported. */
  damaged: CidSet;
  /** Nodes and records that were checked, so that shared ones are checked once. */
  readonly reached: CidSet;
  notify(): void;
}

/** Reports a fault. */
export const report = (
  search: Search,
  code: RepoErrorCode,
  message: string,
  where: Pick<Fault, 'cid' | 'path'> = {},
): void => {
  search.add({ code, message, ...where });
};
