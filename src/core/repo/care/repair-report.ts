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
  /** A ref to a commit that is not here was removed. */
  'dropRef',
  /** A commit that is not here, or whose tree is not and that is newer than the head, was taken from the list. */
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
  /** Nothing that the head refers to is lost, but for blobs that were never here; nor is the head itself. */
  readonly whole: boolean;
  readonly dryRun: boolean;
  /** The head as it is afterwards. */
  readonly head: CID | undefined;
  readonly rev: string | undefined;
  readonly steps: readonly RepairStep[];
  readonly lost: readonly Loss[];
}
