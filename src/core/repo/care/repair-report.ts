/** What a repair does, and what it has to say about it. */
import type { CID } from '../../data/cid.ts';
import type { LongWork } from '../long-work.ts';

export interface RepairOptions extends LongWork {
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean | undefined;
}

/** What a repair can do, in the order in which it is reported. */
export const REPAIR_ACTIONS = [
  /** A row that is no entry of its table was removed. */
  'dropRow',
  /** A block whose bytes are not those that its CID names was removed, so that an import can bring it again. */
  'dropBlock',
  /** The head is another commit now, or there is none any more. */
  'moveHead',
  /** A ref was removed, because its commit is not here, or blocks of its tree or records are gone. */
  'dropRef',
  /**
   * A commit was taken from the list, because it is not here, or blocks of its tree or records are gone. While the head
   * itself lacks a block, older commits stay: an import may bring back what they lack, too.
   */
  'dropCommit',
  /** A commit that is here with all of its tree was put into the list. */
  'addCommit',
  /** A file that is not the blob of its name was removed, so that the blob counts as missing. */
  'dropBlob',
] as const;

export type RepairAction = (typeof REPAIR_ACTIONS)[number];

/** One thing that was done. */
export interface RepairStep {
  readonly action: RepairAction;
  /** A sentence. */
  readonly message: string;
  readonly cid?: CID | undefined;
  /** The name of a ref, or a rev. */
  readonly path?: string | undefined;
}

/** Something that ought to be here and is not, and that nothing here can bring back. */
export interface Loss {
  readonly kind: 'blob' | 'block' | 'record';
  /** A sentence. */
  readonly message: string;
  readonly cid: CID;
  /** `collection/rkey` of a record, or of the first one that mentions a blob. */
  readonly path?: string | undefined;
  /** What to ask the account's host for: the path and query of a request. */
  readonly request: string;
}

export interface RepairReport {
  /**
   * Whether the repository is sound after the repair: the head is here, it refers to nothing that is lost except blobs
   * that were never here, and `verify` finds no damage. Records that break the data model are not damage.
   */
  readonly whole: boolean;
  readonly dryRun: boolean;
  /** The head as it is afterwards. */
  readonly head: CID | undefined;
  readonly rev: string | undefined;
  /** The first 1000 (`MAX_REPORTED`) steps of each action. */
  readonly steps: readonly RepairStep[];
  /** How many steps there are. */
  readonly stepCount: number;
  /** The first 1000 losses. */
  readonly lost: readonly Loss[];
  /** How many losses there are. */
  readonly lostCount: number;
}
