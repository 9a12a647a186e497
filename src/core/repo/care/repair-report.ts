/** Options and report of a repair. */
import type { CID } from '../../data/cid.ts';
import type { LongWork } from '../long-work.ts';

export interface RepairOptions extends LongWork {
  /** Reports the steps without doing them. */
  readonly dryRun?: boolean | undefined;
}

/** The actions of a repair, in the order of the report. */
export const REPAIR_ACTIONS = [
  /** Removed an invalid row. */
  'dropRow',
  /** Removed a block whose bytes do not match its CID. An import can restore it. */
  'dropBlock',
  /** Moved the head to another commit, or removed it. */
  'moveHead',
  /** Removed a ref whose commit, tree nodes or records are missing. */
  'dropRef',
  /**
   * Removed a commit from the list because its block, tree nodes or records are missing. While the head lacks a block,
   * older commits stay, because an import may restore their blocks too.
   */
  'dropCommit',
  /** Added a commit with a complete tree to the list. */
  'addCommit',
  /** Removed a file that does not match the blob of its name. The blob is then missing. */
  'dropBlob',
] as const;

export type RepairAction = (typeof REPAIR_ACTIONS)[number];

/** One step of a repair. */
export interface RepairStep {
  readonly action: RepairAction;
  /** A sentence for people. */
  readonly message: string;
  readonly cid?: CID | undefined;
  /** The name of a ref, or a rev. */
  readonly path?: string | undefined;
}

/** Something that is missing and that the repair could not restore. */
export interface Loss {
  readonly kind: 'blob' | 'block' | 'record';
  /** A sentence for people. */
  readonly message: string;
  readonly cid: CID;
  /** `collection/rkey` of a record, or of the first one that mentions a blob. */
  readonly path?: string | undefined;
  /** The path and query of a request to the account's host for the missing bytes. */
  readonly request: string;
}

export interface RepairReport {
  /**
   * Whether the repository is undamaged after the repair. The head is stored, nothing that it references is lost except
   * blobs that were never stored, and `verify` finds no damage. Records that break the data model are not damage.
   */
  readonly whole: boolean;
  readonly dryRun: boolean;
  /** The head after the repair. */
  readonly head: CID | undefined;
  readonly rev: string | undefined;
  /** The first 1000 (`MAX_REPORTED`) steps of each action. */
  readonly steps: readonly RepairStep[];
  /** Number of steps. */
  readonly stepCount: number;
  /** The first 1000 losses. */
  readonly lost: readonly Loss[];
  /** Number of losses. */
  readonly lostCount: number;
}
