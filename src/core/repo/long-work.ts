/**
 * What takes long, and so can be watched and stopped: CARs in and out, checks of everything, collecting garbage. What
 * each is told and what it answers.
 */
import type { KeySource } from '../crypto/key-source.ts';
import type { CID } from '../data/cid.ts';
import type { Fault } from '../data/fault.ts';
import type { MetaValues } from './write/meta.ts';
import type { WriteRequest } from './write/write-request.ts';

/** Where a long piece of work is. Counts only rise. */
export interface Progress {
  readonly phase: 'read' | 'verify' | 'write';
  /** Bytes read or written so far. */
  readonly bytes: number;
  readonly blocks: number;
  readonly records: number;
}

export interface LongWork {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then, at the end for certain. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface ImportOptions extends LongWork {
  /**
   * The account's public key: a `did:key`, a `publicKeyMultibase`, a DID document or its JSON. With it the signature is
   * checked; without it only its form is. `UnknownKey` when it is not such a key, or a document of another account.
   */
  readonly key?: KeySource | undefined;
  /** The DID that the commit must name. The repository's own when left out. */
  readonly did?: string | undefined;
  /** Takes a commit without a signature, too. */
  readonly allowUnsigned?: boolean | undefined;
  /** What to do about a record that breaks the data model: keep its bytes and report it, or refuse the import. */
  readonly records?: 'report' | 'reject' | undefined;
  /**
   * The most bytes that the CAR may have; `MAX_CAR_SIZE` (1 GiB) when left out. One more rejects with `LimitExceeded`.
   */
  readonly maxSize?: number | undefined;
  /** The most blocks that it may have, doubled ones counted; `MAX_CAR_BLOCKS` (16,777,216) when left out. */
  readonly maxBlocks?: number | undefined;
  /** The most bytes that one block of it may have; `MAX_BLOCK_SIZE` (2 MiB) when left out. */
  readonly maxBlockSize?: number | undefined;
  /**
   * The most bytes of blocks that the tree does not refer to, where they are also more than four times what it does
   * refer to; `MAX_UNLINKED` (16 MiB) when left out.
   */
  readonly maxUnlinked?: number | undefined;
  /**
   * The most records that may break the data model before the whole CAR is refused; `MAX_RECORD_FAULTS` when left out.
   */
  readonly maxFaults?: number | undefined;
  /**
   * Values to set in the same step as the head, also where no record changes: either both are stored or neither is.
   * `null` removes a value. See `RepoMeta`.
   */
  readonly meta?: MetaValues | undefined;
  /** As for a write. `OutcomeUnknown` when it is asked for again, has happened, and reported faults. */
  readonly request?: WriteRequest | undefined;
}

/** A path where the imported head has another value than the head before it, which had changed it. */
export interface KeptPath {
  /** `collection/rkey` */
  readonly path: string;
  /** `absent`: the imported head has what was there before the change, or nothing. `differs`: it has something else. */
  readonly state: 'absent' | 'differs';
}

/** Work that was done here and that an imported head does not have. */
export interface KeptWork {
  /** The ref by which the head before the import stays. `gc` keeps it until it is removed. */
  readonly ref: string;
  /** In key order. */
  readonly paths: readonly KeptPath[];
  /** `differs` when that is so of any path. */
  readonly state: 'absent' | 'differs';
}

export interface ImportResult {
  readonly head: CID;
  readonly rev: string;
  /** Blocks of the new head that were not here before. */
  readonly blocks: number;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
  /** Blobs that the records mention and that are not here. */
  readonly missingBlobs: number;
  /**
   * The first `MAX_REPORTED` records that break the data model. Their bytes are kept, and `get` of them throws
   * `Malformed`.
   */
  readonly faults: readonly Fault[];
  /** How many records break the data model. */
  readonly faultCount: number;
  /** What was written here since the last import and is not in the new head; left out when there is no such thing. */
  readonly kept?: KeptWork | undefined;
}

export interface ExportOptions extends LongWork {
  /** A rev of the local history: only what came after it. Such a CAR is no whole repository. */
  readonly since?: string | undefined;
  /** The commit to export: a rev, a CID or a ref. The head when left out. */
  readonly at?: string | CID | undefined;
}

export interface VerifyOptions extends LongWork {
  /** The commit whose signature, tree and records are checked in place of the head's: a rev, a CID or a ref. */
  readonly at?: string | CID | undefined;
  /**
   * The account's public key: a `did:key`, a `publicKeyMultibase`, a DID document or its JSON. With it the head's
   * signature is checked; without it only that it has the form of one. The key of the signer is never taken in its
   * place: an imported head may be signed by another one. `UnknownKey` when it is not such a key, or a document of
   * another account.
   */
  readonly key?: KeySource | undefined;
}

export interface VerifyReport {
  /** There are no faults. */
  readonly ok: boolean;
  /** The first `MAX_REPORTED` faults. */
  readonly faults: readonly Fault[];
  /** How many faults there are. */
  readonly faultCount: number;
  /** Of the head: whether it was checked, and with what outcome. `none` is not a fault unless a key was given. */
  readonly signature: 'invalid' | 'none' | 'unchecked' | 'valid';
  readonly records: number;
  readonly blocks: number;
  readonly blobs: number;
  /** How far the head's rev lies in the future, in milliseconds; a fault `FutureRev` says the same. */
  readonly clockAhead?: number | undefined;
}

export interface GarbageOptions {
  /** How many of the newest commits stay readable, the head included. 1 when left out. */
  readonly keep?: number | undefined;
  /**
   * Also removes blobs that no kept record mentions. A write that was asked for before it comes to that keeps its
   * blobs.
   */
  readonly blobs?: boolean | undefined;
  /**
   * How old a blob is at least that is removed, in milliseconds; an hour when left out. Younger ones stay: a record is
   * perhaps about to mention them. Where the storage does not know when a blob was stored, the time counts from
   * {@link Repo.putBlob} of this opening, and blobs from before it count as old.
   */
  readonly blobAge?: number | undefined;
  /**
   * Also writes the whole database anew, without room between its rows. Reads wait meanwhile. It takes the size of the
   * new file on the disk beside the old one, and 10 MiB of memory whatever the size; in IndexedDB, which has all of it
   * in memory, the size of the new file. A power cut leaves the old file or the new one.
   */
  readonly compact?: boolean | undefined;
}

export interface GarbageResult {
  readonly blocks: number;
  readonly commits: number;
  readonly blobs: number;
  /** Bytes by which the database is shorter. */
  readonly bytes: number;
}
