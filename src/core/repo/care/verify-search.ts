/** What the parts of a check share: what they found, and what is wrong so far. */
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
  /** Blocks that are here and are what their CIDs say. */
  sound: CidSet;
  /** Blocks that are here and are not; each is a fault that has been named. */
  damaged: CidSet;
  /** What has been looked at below some commit, so that what trees share is looked at once. */
  readonly reached: CidSet;
  tell(): void;
}

/** Names a fault. */
export const report = (
  search: Search,
  code: RepoErrorCode,
  message: string,
  where: Pick<Fault, 'cid' | 'path'> = {},
): void => {
  search.add({ code, message, ...where });
};
