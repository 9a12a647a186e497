/** Types of heads, commits and writes: options, results and events. */
import type { CID } from '../data/cid.ts';
import type { Signer } from '../crypto/signer.ts';
import type { RecordValue } from './tree.ts';
import type { MetaValues } from './write/meta.ts';
import type { WriteRequest } from './write/write-request.ts';

/** A commit: the newest one, or an older one. */
export interface Head {
  readonly cid: CID;
  /** A TID. `2222222222222` for a version 2 commit without a rev. */
  readonly rev: string;
  /** The root of the record tree. */
  readonly data: CID;
  readonly signed: boolean;
}

/** The new commit, or the unchanged head. */
export interface CommitRef {
  readonly cid: CID;
  readonly rev: string;
  /**
   * Milliseconds by which the rev is in the future, if more than five minutes: a clock was ahead. Hosts refuse the
   * commit until that time. `Repo.recommit` signs the same records at the present time.
   */
  readonly clockAhead?: number | undefined;
}

export interface LogEntry extends Head {
  readonly message?: string | undefined;
  /** With `path`: the record after the commit; `undefined` if the commit deleted it. */
  readonly record?: CID | undefined;
}

export interface LogOptions {
  /** Only commits that changed the record at this path (`collection/rkey`). */
  readonly path?: string | undefined;
  /** Most entries. */
  readonly limit?: number | undefined;
  /**
   * A rev, a CID or a ref: this commit, and the older ones of the local history. For a branch: its head, its base and
   * the commits before it. Default: all commits of the local history.
   */
  readonly ref?: string | CID | undefined;
}

export interface DiffOptions {
  /** Only paths that begin with this, such as `app.bsky.feed.post/`. */
  readonly prefix?: string | undefined;
}

/** One operation of `com.atproto.repo.applyWrites`, with the names of the lexicon. */
export type WriteOp =
  | {
      readonly action: 'create';
      readonly collection: string;
      /** Default: a new TID. */
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
      /** The CID that the record must have now. Otherwise `InvalidSwap`. */
      readonly swapRecord?: CID | undefined;
    }
  | {
      readonly action: 'delete';
      readonly collection: string;
      readonly rkey: string;
      readonly swapRecord?: CID | undefined;
    };

export interface WriteOptions {
  /** The CID that the head must have now; `null` if there must be no head. Otherwise `InvalidSwap`. */
  readonly swapCommit?: CID | null | undefined;
  /** A note about the commit. It is stored beside the commit, not in it, and `log` returns it. */
  readonly message?: string | undefined;
  /** Signs this commit in place of the repository's signer. */
  readonly signer?: Signer | undefined;
  /**
   * Values to set in the same transaction as the head, even if no record changes. `null` removes a value. See
   * `RepoMeta`.
   */
  readonly meta?: MetaValues | undefined;
  /** A name that makes the write safe to repeat when its result was lost. */
  readonly request?: WriteRequest | undefined;
  /**
   * Also signs when the head is signed by another key. Pass it once after the account's key was rotated. Without it,
   * such a write rejects with `InvalidSigner`.
   */
  readonly allowOtherKey?: boolean | undefined;
}

/** The result of `put` and `restore`. */
export interface PutResult extends Pick<CommitRef, 'clockAhead'> {
  readonly uri: string;
  readonly cid: CID;
  readonly commit: CommitRef;
}

export interface CreateRecordOptions extends WriteOptions {
  /** Default: a new TID. */
  readonly rkey?: string | undefined;
}

/** The result of `create`. */
export interface CreateResult extends PutResult {
  /** The rev of the commit. */
  readonly rev: string;
  /** The key of the new record. */
  readonly rkey: string;
}

export type ResetOptions = Pick<WriteOptions, 'meta' | 'swapCommit'>;

/** The head after a reset. */
export interface ResetResult extends CommitRef {
  /** The ref that keeps the old head, or `undefined` if the head is the same as before. */
  readonly ref: string | undefined;
}

export interface RecommitOptions extends Omit<WriteOptions, 'request'> {
  /** Sign at the present time. */
  readonly rev: 'now';
}

export interface RecommitResult extends CommitRef {
  /** The ref that keeps the old head, or `undefined` if it stays in the local history. */
  readonly ref: string | undefined;
  /** The time of the old rev, in ISO 8601, if it is in the future. */
  readonly ignoredUntil: string | undefined;
  /** A sentence about the remaining effect of the old rev. */
  readonly warning: string | undefined;
}

export interface WriteResult extends CommitRef {
  /** One result per operation, in order. A delete has no `cid`. */
  readonly results: readonly { readonly uri: string; readonly cid?: CID | undefined }[];
}

/** A new head that is durable. */
export interface HeadChange extends CommitRef {
  /** Keys (`collection/rkey`) that the previous head did not have. All three lists are in key order. */
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
  /** Set if the rev is not greater than the previous one, after `reset` or `recommit`. */
  readonly reset?: true | undefined;
  /**
   * Set if the lists are empty because the changes are unknown: another process has made this head, and has removed the
   * one before with `gc`. Read again what you show.
   */
  readonly incomplete?: true | undefined;
}
