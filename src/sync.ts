/**
 * The network: finds accounts, and keeps copies of their repositories current. It needs `fetch` and the `Repo`
 * interface, so it runs in pages, workers, Node, Deno and Bun alike.
 *
 * @example
 * ```ts
 * import { openOrCreateRepo } from 'pdsdb/node';
 * import { clone, pull } from 'pdsdb/sync';
 *
 * const { repo, pulled } = await clone('alice.example.com', ({ did }) => openOrCreateRepo('alice', { did }));
 * console.log(pulled.status, pulled.created);
 * // Later: only what has changed.
 * console.log((await pull(repo)).status);
 * await repo.close();
 * ```
 * @module
 */
export type { Account } from './sync/identity/account.ts';
export type { IdentityOptions } from './sync/identity/identity-options.ts';
export { resolveAccount } from './sync/identity/account.ts';
export type { NetworkOptions } from './sync/http/safe-fetch.ts';
export type { Session } from './sync/http/xrpc.ts';
export { publicSession } from './sync/http/xrpc.ts';
export { XrpcError } from './sync/http/xrpc-error.ts';
export type { PasswordSession, PasswordSessionOptions } from './sync/session/password-session.ts';
export { passwordSession } from './sync/session/password-session.ts';
export type { SessionStore } from './sync/session/session-tokens.ts';
export type { CloneOptions, CloneResult } from './sync/pull/clone.ts';
export { clone } from './sync/pull/clone.ts';
export type { FailedBlob, FetchedBlobs } from './sync/pull/fetch-blobs.ts';
export { storedAccount } from './sync/pull/known-account.ts';
export type { HostHead } from './sync/pull/latest-commit.ts';
export type { PullOptions, PullProgress, PullResult, PullStatus } from './sync/pull/pull.ts';
export { pull } from './sync/pull/pull.ts';
export type { CopyStatus, HostState, HostStatus, LocalStatus, StatusOptions } from './sync/pull/status.ts';
export { status } from './sync/pull/status.ts';
export type { FetchMissingBlobsOptions } from './sync/pull/fetch-missing-blobs.ts';
export { fetchMissingBlobs } from './sync/pull/fetch-missing-blobs.ts';
export type { Follow, FollowOptions, FollowSource, FollowState, FollowUpdate } from './sync/follow/follow-updates.ts';
export { follow } from './sync/follow/follow.ts';
export type { WebSocketClass, WebSocketLike } from './sync/follow/socket.ts';
export { openOutbox } from './sync/outbox/open-outbox.ts';
export type { EntryError, EntryState } from './sync/outbox/entry.ts';
export type {
  ConflictPolicy,
  Outbox,
  OutboxAction,
  OutboxChange,
  OutboxEntry,
  OutboxOp,
  OutboxState,
  OutboxWriteOptions,
  Pending,
  PolicyResult,
  PushOptions,
  PushProgress,
  PushResult,
} from './sync/outbox/outbox.ts';
export type {
  MigrateOptions,
  MigrateProgress,
  MigrateResult,
  MigrateStep,
  NewAccount,
} from './sync/migrate/migrate.ts';
export { migrate } from './sync/migrate/migrate.ts';
