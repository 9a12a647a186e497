/** What a repair is going to do, with the words about it. */
import { BoundedList } from '../../data/bounded-list.ts';
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { Loss, RepairAction, RepairStep } from './repair-report.ts';
import { REPAIR_ACTIONS } from './repair-report.ts';
import type { ChosenHead, RepairSearch } from './repair-search.ts';

/** Steps by their action, so that many of one kind leave room for those of the others. */
export type Steps = ReadonlyMap<RepairAction, BoundedList<RepairStep>>;

export const createSteps = (): Steps =>
  new Map(REPAIR_ACTIONS.map((action) => [action, new BoundedList<RepairStep>()] as const));

export interface Plan {
  readonly steps: Steps;
  readonly lost: BoundedList<Loss>;
  readonly search: RepairSearch;
  readonly head: ChosenHead | undefined;
  readonly hasInvalidRows: boolean;
  readonly refs: Map<string, CID | undefined>;
  readonly dropped: Map<Tid, CID>;
  readonly added: Map<Tid, CID>;
  readonly badBlobs: CID[];
  /** Whether a record of the head mentions a blob that is lost. */
  lacksBlob: boolean;
}

/** Notes a step. */
export const plan = (
  { steps }: Pick<Plan, 'steps'>,
  action: RepairAction,
  message: string,
  where: Pick<RepairStep, 'cid' | 'path'> = {},
): void => {
  steps.get(action)!.add({ action, message, ...where });
};

/** The path and query of a request for a block or a blob, after the name of its method. */
export const query = (did: string, name: string, cid: CID): string =>
  `?did=${encodeURIComponent(did)}&${name}=${cidToText(cid)}`;

/** Whether nothing that the tree of the head consists of is lost. */
export const isHeadWhole = (head: ChosenHead | undefined): boolean =>
  head !== undefined && head.gaps.nodes.count === 0 && head.gaps.records.count === 0;
