/** The interface of the outbox: local writes that wait for the account's host. */
import type { CID } from '../../core/data/cid.ts';
import type { FoundRecord, ListOptions, RecordEntry, RecordValue } from '../../core/repo/tree.ts';
import type { Session } from '../http/xrpc.ts';
import type { EntryError, EntryState } from './entry.ts';

/**
 * - `queued`: the next push sends it.
 * - `sending`: a request is being sent. After a crash, the next push finds out whether it had an effect.
 * - `unknown`: the response was lost, or the host failed. The next push finds out whether the request had an effect.
 * - `conflict`: the host has another value than the one that was changed. Call `resolve`.
 * - `rejected`: the host refused the record. Write another value, or call `discard`.
 * - `waitingForSession`: the host does not accept the session. The next push sends it.
 */
export type OutboxState = Exclude<EntryState, 'landed'>;
export type OutboxAction = 'create' | 'delete' | 'update';

/** One pending change. */
export interface OutboxEntry {
  /** `collection/rkey` */
  readonly path: string;
  readonly collection: string;
  readonly rkey: string;
  readonly action: OutboxAction;
  readonly state: OutboxState;
  /** The record that was changed, or `undefined` if the path had no record. */
  readonly base: CID | undefined;
  /** The record of the change, or `undefined` if it is deleted. {@link Outbox.get} returns it. */
  readonly ours: CID | undefined;
  /** The record of the host as of the last pull. `Repo.get` returns it. Equal to `base` unless there is a conflict. */
  readonly theirs: CID | undefined;
  /** Requests that were sent for it and may have had an effect. */
  readonly attempts: number;
  /** Why it did not land. */
  readonly error?: EntryError | undefined;
}

/** Set if a change of the record is pending. `delete` comes with the record of the host. */
export interface Pending {
  readonly pending?: OutboxAction | undefined;
}

/** One operation of {@link Outbox.write}. A put creates or replaces the record. */
export type OutboxOp =
  | {
      readonly action: 'delete';
      readonly collection: string;
      readonly rkey: string;
      readonly swapRecord?: CID | null | undefined;
    }
  | {
      readonly action: 'put';
      readonly collection: string;
      readonly rkey: string;
      readonly value: RecordValue | Uint8Array;
      /** The CID that the record must have now, pending changes included; `null` for none. Otherwise `InvalidSwap`. */
      readonly swapRecord?: CID | null | undefined;
    };

export interface OutboxWriteOptions {
  /**
   * The host makes one commit of all operations, and a conflict or a refusal of one of them stops all of them. A write
   * of more than 200 operations or 140,000 bytes of JSON becomes several commits. Default: `false`.
   */
  readonly atomic?: boolean | undefined;
}

/** The state of a path changed; `undefined` if nothing is pending there now. */
export interface OutboxChange {
  readonly path: string;
  readonly state: EntryState | undefined;
}

/**
 * What happens with a conflict. `ours` sends the pending value, except to restore a record that the host has deleted.
 * `theirs` drops it. A function returns one of these words, a record to send, or `null` to delete the record. It gets
 * `undefined` for a missing record, and for a base that `gc` has removed. It must not call the outbox.
 */
export type ConflictPolicy =
  | 'keep'
  | 'ours'
  | 'theirs'
  | ((
      base: RecordValue | undefined,
      theirs: RecordValue | undefined,
      ours: RecordValue | undefined,
      path: string,
    ) => PolicyResult | Promise<PolicyResult>);
export type PolicyResult = RecordValue | 'keep' | 'ours' | 'theirs' | null;

export interface PushProgress {
  /** Changes that were sent. */
  readonly done: number;
  readonly total: number;
  /** The path that is sent next. */
  readonly path: string | undefined;
}

export interface PushOptions {
  /** A session of the account at its host. */
  readonly session: Session;
  /**
   * Brings the repository to the head of the host. A push calls it first, after an unknown result, and last. Default:
   * `pull(repo, { session, signal, blobs: false })`.
   */
  readonly pull?: (() => Promise<unknown>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PushProgress) => void) | undefined;
  /** By collection. Default: `keep`, which leaves the conflict to {@link Outbox.resolve}. */
  readonly policies?: Readonly<Record<string, ConflictPolicy>> | undefined;
}

export interface PushResult {
  /**
   * - `done`: every change that can be sent was sent.
   * - `inactive`: the account is deactivated, suspended or taken down.
   * - `rateLimited`: the host accepts requests again at `resetAt`.
   * - `unreachable`: the host cannot be reached, or fails. Push again later.
   * - `waitingForSession`: sign in again, and push again.
   */
  readonly status: 'done' | 'inactive' | 'rateLimited' | 'unreachable' | 'waitingForSession';
  /** Paths that the host has accepted, in the order of their landing. */
  readonly landed: readonly string[];
  /** Paths in conflict, in order. */
  readonly conflicts: readonly string[];
  /** Paths whose records the host refused, in order. */
  readonly rejected: readonly string[];
  /** Number of changes that are still pending, conflicts included. */
  readonly pending: number;
  /** Milliseconds of Unix time, with `rateLimited`. */
  readonly resetAt?: number | undefined;
  /** The error that stopped the push. */
  readonly error?: unknown;
}

/**
 * Writes that wait for the account's host, and reads that include them. Each write is durable once its call resolves.
 * All outboxes of a repository share their changes, also in other tabs.
 */
export interface Outbox extends AsyncDisposable {
  /** Creates or replaces a record. Writing the value of the host again discards the change. */
  put(
    collection: string,
    rkey: string,
    value: RecordValue | Uint8Array,
  ): Promise<{ readonly uri: string; readonly cid: CID }>;
  /** Deletes a record. Does nothing if the key is absent. */
  delete(collection: string, rkey: string): Promise<void>;
  /**
   * Makes all changes durable together.
   * @throws {RepoError} `InvalidRecord`, `InvalidCollection`, `InvalidRecordKey`, `InvalidSwap`, `RecordTooLarge`,
   *   `StorageFull`, `StorageFailed`. Nothing is changed then.
   */
  write(ops: readonly OutboxOp[], options?: OutboxWriteOptions): Promise<void>;
  /**
   * Returns the pending record, or that of the repository, or `undefined`. With a pending `delete`, it is the record
   * that the host has.
   */
  get(collection: string, rkey: string): Promise<(FoundRecord & Pending) | undefined>;
  /** Lists records as `Repo.list` does, pending ones included. */
  list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry & Pending>;
  /** Returns the pending changes in the order of their paths. */
  pending(): Promise<OutboxEntry[]>;
  /**
   * Drops a pending change and returns `true`, or returns `false` if nothing is pending. A change that was already sent
   * may still reach the host; a pull then brings it.
   */
  discard(path: string): Promise<boolean>;
  /**
   * Sends the pending changes to the account's host, each with the CID of the record that it replaces. Pulls first.
   * Pushes of the same account wait for each other, also in other tabs.
   *
   * Each change lands once, or becomes a conflict. It is never sent again before a pull has shown whether an earlier
   * request had an effect.
   * @throws {RepoError} errors of the storage and of `pull`, except those of the connection, which the result reports.
   *   An aborted `signal` rejects with its reason.
   */
  push(options: PushOptions): Promise<PushResult>;
  /**
   * Ends a conflict. `ours` sends the pending value with the next push, `theirs` drops it. A record replaces the
   * pending value, and `null` deletes the record.
   * @throws {RepoError} `RecordNotFound` when the path has no conflict; the errors of `write`.
   */
  resolve(path: string, choice: 'ours' | 'theirs' | RecordValue | Uint8Array | null): Promise<void>;
  /** Calls `listener` after each change by this object. Returns a function that removes it. */
  onChange(listener: (change: OutboxChange) => void): () => void;
  /** Stops a running push, and waits for it. Later calls reject with `Closed`. The repository stays open. */
  close(): Promise<void>;
}
