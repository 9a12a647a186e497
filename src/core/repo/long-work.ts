/** Options and results of long operations: import, export, verify and `gc`. */
import type { KeySource } from '../crypto/key-source.ts';
import type { CID } from '../data/cid.ts';
import type { Fault } from '../data/fault.ts';
import type { RecordChange } from './tree.ts';
import type { MetaValues } from './write/meta.ts';
import type { WriteRequest } from './write/write-request.ts';

/** The progress of a long operation. Counts only increase. */
export interface Progress {
  readonly phase: 'read' | 'verify' | 'write';
  /** Bytes read or written so far. */
  readonly bytes: number;
  readonly blocks: number;
  readonly records: number;
}

export interface LongWork {
  readonly signal?: AbortSignal | undefined;
  /** Called repeatedly, and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface ImportOptions extends LongWork {
  /**
   * The account's public key: a `did:key`, a `publicKeyMultibase`, a DID document or its JSON. With it, the signature
   * is checked; without it, only its form. Rejects with `UnknownKey` if it is not such a key, or if the document is of
   * another account.
   */
  readonly key?: KeySource | undefined;
  /** The DID that the commit must have. Default: the repository's own. */
  readonly did?: string | undefined;
  /** Also accepts a commit without a signature. */
  readonly allowUnsigned?: boolean | undefined;
  /**
   * For a record that breaks the data model: store its bytes and report it, or reject the import. Default: `report`.
   */
  readonly records?: 'report' | 'reject' | undefined;
  /**
   * The largest size of the CAR in bytes. Default: `MAX_CAR_SIZE` (1 GiB). A larger CAR rejects with `LimitExceeded`.
   */
  readonly maxSize?: number | undefined;
  /** The most blocks in the CAR, duplicates included. Default: `MAX_CAR_BLOCKS` (16,777,216). */
  readonly maxBlocks?: number | undefined;
  /** The largest size of one block in bytes. Default: `MAX_BLOCK_SIZE` (2 MiB). */
  readonly maxBlockSize?: number | undefined;
  /**
   * The most bytes of blocks that the tree does not reference. Applies only if they are also more than four times the
   * referenced bytes. Default: `MAX_UNLINKED` (16 MiB).
   */
  readonly maxUnlinked?: number | undefined;
  /** The most records that may break the data model before the CAR is rejected. Default: `MAX_RECORD_FAULTS`. */
  readonly maxFaults?: number | undefined;
  /**
   * Values to set in the same transaction as the head, even if no record changes. `null` removes a value. See
   * `RepoMeta`.
   */
  readonly meta?: MetaValues | undefined;
  /**
   * Checks the CAR and returns the same result, but changes nothing. If blocks are missing, it does not reject:
   * `missing` lists them.
   */
  readonly dryRun?: boolean | undefined;
  /**
   * For a commit that has the rev of the head and another CID: `refuse` rejects with `OutdatedRev`, `keep` makes it the
   * head and keeps the old head under a ref. Default: `refuse`.
   */
  readonly onFork?: 'keep' | 'refuse' | undefined;
  /**
   * Also accepts a commit that is older than the head, because the host has gone back to it. Removes later commits from
   * the local history. A ref keeps the old head.
   */
  readonly rollback?: boolean | undefined;
  /** As for a write. A repeated import that already happened and reported faults rejects with `OutcomeUnknown`. */
  readonly request?: WriteRequest | undefined;
}

/** A path that local work changed and where the imported head has another value. */
export interface KeptPath {
  /** `collection/rkey` */
  readonly path: string;
  /**
   * `absent`: the imported head has the value from before the local change, or none. `differs`: it has a third value.
   */
  readonly state: 'absent' | 'differs';
}

/** Local work that is not in an imported head. */
export interface KeptWork {
  /** The ref that keeps the old head. `gc` keeps its blocks until the ref is removed. */
  readonly ref: string;
  /** In key order. */
  readonly paths: readonly KeptPath[];
  /** `differs` if any path has that state. */
  readonly state: 'absent' | 'differs';
}

/** What the changes of an import are listed from. A worker sends it to its page. */
export interface ChangeList {
  /** The first changes. */
  readonly first: readonly RecordChange[];
  /** The number of all changes. */
  readonly count: number;
  /** The root of the tree, or the commit, that the changes start from. `undefined` is the empty tree. */
  readonly from?: CID | undefined;
  /** The root of the new tree. A dry run stores none. */
  readonly to?: CID | undefined;
}

/**
 * The changes of records of an import, in key order. `for await` lists all of them, any number of times. If there are
 * more than in `first`, the two trees are compared then.
 *
 * The iteration rejects with `BlockNotFound` if `gc` has removed a tree meanwhile, and with `LimitExceeded` after the
 * first 16,384 changes of a dry run.
 */
export interface ImportChanges extends ChangeList, AsyncIterable<RecordChange> {}

export interface ImportResult {
  readonly head: CID;
  readonly rev: string;
  /** Blocks of the new head that were not stored before. */
  readonly blocks: number;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
  /**
   * The changes of records. `for await` lists all, in key order; `changes.first` has the first 1,000, or 16,384 of a
   * dry run.
   */
  readonly changes: ImportChanges;
  /** The head before. `undefined` if this is the first head. */
  readonly previous: CID | undefined;
  /**
   * Blobs that the records mention and that are not stored. If the CAR has only a difference, only created and updated
   * records count.
   */
  readonly missingBlobs: number;
  /** Only of a dry run: blocks that are neither in the CAR nor stored. The counts of changes are then 0. */
  readonly missing?: readonly { readonly cid: CID; readonly path?: string | undefined }[] | undefined;
  /** The ref that keeps the old head after `onFork: 'keep'` or `rollback`. */
  readonly replaced?: string | undefined;
  /**
   * The first `MAX_REPORTED` records that break the data model, of the records that were checked. Their bytes are
   * stored, and `get` rejects with `Malformed`.
   */
  readonly faults: readonly Fault[];
  /** Number of records that break the data model. */
  readonly faultCount: number;
  /** Local work since the last import that is not in the new head. Absent if the new head has all of it. */
  readonly kept?: KeptWork | undefined;
}

/** A range of paths (`collection/rkey`), in the order of their bytes. */
export interface PathRange {
  /** The first path. Default: the first one of the repository. */
  readonly from?: string | undefined;
  /** The path after the last one. Default: the end of the repository. */
  readonly to?: string | undefined;
}

export interface ExportOptions extends LongWork {
  /**
   * A rev, a CID or a ref. The CAR has only the difference to that commit: the new nodes, and the record of each
   * changed path. It is a partial repository. `importCar` of a copy that has the commit accepts it.
   */
  readonly since?: string | undefined;
  /**
   * Only the records of these collections. The CAR also has the nodes that prove that these are all of them. It is a
   * partial repository, which `importCar` does not accept.
   */
  readonly collections?: readonly string[] | undefined;
  /** Only the records in this range of paths, as `collections`. With both, only records that are in both. */
  readonly range?: PathRange | undefined;
  /** The commit to export: a rev, a CID or a ref. Default: the head. */
  readonly at?: string | CID | undefined;
}

export interface VerifyOptions extends LongWork {
  /** The commit whose signature, tree and records are checked: a rev, a CID or a ref. Default: the head. */
  readonly at?: string | CID | undefined;
  /**
   * The account's public key: a `did:key`, a `publicKeyMultibase`, a DID document or its JSON. With it, the signature
   * is checked; without it, only its form. The signer's key is not used, because another key may have signed an
   * imported head. Rejects with `UnknownKey` if it is not such a key, or if the document is of another account.
   */
  readonly key?: KeySource | undefined;
}

export interface VerifyReport {
  /** Whether no fault was found. */
  readonly ok: boolean;
  /** The first `MAX_REPORTED` faults. */
  readonly faults: readonly Fault[];
  /** Number of faults. */
  readonly faultCount: number;
  /** The result for the head's signature. `none` is a fault only if a key was given. */
  readonly signature: 'invalid' | 'none' | 'unchecked' | 'valid';
  readonly records: number;
  readonly blocks: number;
  readonly blobs: number;
  /** Milliseconds by which the head's rev is in the future. A fault `FutureRev` reports the same. */
  readonly clockAhead?: number | undefined;
}

export interface GarbageOptions extends LongWork {
  /** Returns the same counts, but changes nothing. `bytes` is then 0, and `compact` has no effect. */
  readonly dryRun?: boolean | undefined;
  /** Number of the newest commits that stay readable, the head included. Default: 1. */
  readonly keep?: number | undefined;
  /** Also removes blobs that no kept record mentions. Blobs of writes that are already queued stay. */
  readonly blobs?: boolean | undefined;
  /**
   * Minimum age of a blob that may be removed, in milliseconds. Default: one hour. A new record may be about to mention
   * a younger blob. If the storage does not know the age, it counts from {@link Repo.putBlob}, and blobs from before
   * this opening count as old.
   */
  readonly blobAge?: number | undefined;
  /**
   * Milliseconds for which a commit stays after another one has replaced it as the head. Default: one hour where
   * several processes may have the repository open, because they may read it, and 0 elsewhere: readers of this process
   * are known. The time is that of the next commit, as its rev or its import says.
   */
  readonly commitAge?: number | undefined;
  /**
   * Also rewrites the database without free space. Reads wait meanwhile. Needs disk space for the new file beside the
   * old one, and 10 MiB of memory; in IndexedDB, memory of the size of the new file. A power cut leaves the old file or
   * the new one.
   */
  readonly compact?: boolean | undefined;
}

export interface GarbageResult {
  readonly blocks: number;
  readonly commits: number;
  readonly blobs: number;
  /** Bytes by which the database shrank. */
  readonly bytes: number;
}
