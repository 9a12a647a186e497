/** The plan of a repair: steps and losses. */
import { BoundedList } from '../../data/bounded-list.ts';
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { Loss, RepairAction, RepairStep } from './repair-report.ts';
import { REPAIR_ACTIONS } from './repair-report.ts';
import type { ChosenHead, RepairSearch } from './repair-search.ts';

/** Steps by action. Each action has its own limit, so that many steps of one action do not hide others. */
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

/** Adds a step to the plan. */
export const plan = (
  { steps }: Pick<Plan, 'steps'>,
  action: RepairAction,
  message: string,
  where: Pick<RepairStep, 'cid' | 'path'> = {},
): void => {
  steps.get(action)!.add({ action, message, ...where });
};

/** Returns the query of a request for a block or a blob. */
export const query = (did: string, name: string, cid: CID): string =>
  `?did=${encodeURIComponent(did)}&${name}=${cidToText(cid)}`;

/** Returns whether all nodes and records of the head's tree are present. */
export const isHeadWhole = (head: ChosenHead | undefined): boolean =>
  head !== undefined && head.gaps.nodes.count === 0 && head.gaps.records.count === 0;
