/** Heads, commits and writes, as they are asked for and told. */
import type { CID } from '../data/cid.ts';
import type { Signer } from '../crypto/signer.ts';
import type { RecordValue } from './tree.ts';
import type { MetaValues } from './write/meta.ts';
import type { WriteRequest } from './write/write-request.ts';

/** The newest commit, or any other. */
export interface Head {
  readonly cid: CID;
  /** A TID. `2222222222222` for a version 2 commit, which need not have one. */
  readonly rev: string;
  /** The root of the tree. */
  readonly data: CID;
  readonly signed: boolean;
}

/** A commit that was just made, or the head that stayed. */
export interface CommitRef {
  readonly cid: CID;
  readonly rev: string;
  /**
   * How far the rev lies in the future, in milliseconds, where that is more than five minutes: a clock was ahead once.
   * Hosts refuse the commit until then. `Repo.recommit` signs the same records at the present time.
   */
  readonly clockAhead?: number | undefined;
}

export interface LogEntry extends Head {
  readonly message?: string | undefined;
}

/** One operation of `com.atproto.repo.applyWrites`, with the names of the lexicon. */
export type WriteOp =
  | {
      readonly action: 'create';
      readonly collection: string;
      /** A new TID when left out. */
      readonly rkey?: string | undefined;
      /** A value of the data model, or its canonical DAG-CBOR bytes. */
      readonly value: RecordValue | Uint8Array;
      readonly swapRecord?: null | undefined;
    }
  | {
      readonly action: 'update';
      readonly collection: string;
      readonly rkey: string;
      readonly value: RecordValue | Uint8Array;
      /** The CID that the record must have now. */
      readonly swapRecord?: CID | undefined;
    }
  | {
      readonly action: 'delete';
      readonly collection: string;
      readonly rkey: string;
      readonly swapRecord?: CID | undefined;
    };

export interface WriteOptions {
  /** The CID that the head must have now; `null` when there must be none. Else `InvalidSwap`. */
  readonly swapCommit?: CID | null | undefined;
  /** A word about the commit, kept beside it and not part of it. `log` answers it. */
  readonly message?: string | undefined;
  /** Signs this commit in place of the repository's signer. */
  readonly signer?: Signer | undefined;
  /**
   * Values to set in the same step as the head, also where no record changes: either both are stored or neither is.
   * `null` removes a value. See `RepoMeta`.
   */
  readonly meta?: MetaValues | undefined;
  /** Makes it safe to ask again when the answer was lost. */
  readonly request?: WriteRequest | undefined;
  /**
   * Signs also where another key has signed the head: once, after the account's key was rotated. `InvalidSigner` when
   * left out.
   */
  readonly allowOtherKey?: boolean | undefined;
}

/** What `put` and `restore` return. */
export interface PutResult extends Pick<CommitRef, 'clockAhead'> {
  readonly uri: string;
  readonly cid: CID;
  readonly commit: CommitRef;
}

export interface CreateRecordOptions extends WriteOptions {
  /** A new TID when left out. */
  readonly rkey?: string | undefined;
}

/** What `create` returns. */
export interface CreateResult extends PutResult {
  /** Of the commit. */
  readonly rev: string;
  /** The record key that it got. */
  readonly rkey: string;
}

export type ResetOptions = Pick<WriteOptions, 'meta' | 'swapCommit'>;

/** The head after a reset. */
export interface ResetResult extends CommitRef {
  /** The ref by which the old head stays; `undefined` when the head is the same as before. */
  readonly ref: string | undefined;
}

export interface RecommitOptions extends Omit<WriteOptions, 'request'> {
  /** At the present time. */
  readonly rev: 'now';
}

export interface RecommitResult extends CommitRef {
  /** The ref by which the old head stays; `undefined` when it stays in the local history. */
  readonly ref: string | undefined;
  /** The time of the old rev, in ISO 8601, where that lies in the future. */
  readonly ignoredUntil: string | undefined;
  /** What the old rev leaves behind, in a sentence. */
  readonly warning: string | undefined;
}

export interface WriteResult extends CommitRef {
  /** One for each operation, in their order; a delete has no `cid`. */
  readonly results: readonly { readonly uri: string; readonly cid?: CID | undefined }[];
}

/** A new head, after it is durable. */
export interface HeadChange extends CommitRef {
  /** Keys (`collection/rkey`) that the head before it had not. In key order, as the others are. */
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
  /** The rev is not greater than the one before: the head is an older commit again, or was signed anew. */
  readonly reset?: true | undefined;
}
