/** What a copy that follows its host reports, and what the sources of changes share. */
import type { CommitRef } from '../../core/repo/commits.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { RecordChange } from '../../core/repo/tree.ts';
import type { PullOptions } from '../pull/pull.ts';
import type { WebSocketClass } from './socket.ts';

/**
 * Where changes are heard of.
 *
 * - `firehose`: the events of the account's host. Each is verified and applied, so the copy has each commit.
 * - `jetstream`: a service that sends the events of an account as JSON. An event starts a pull.
 * - `poll`: a pull at fixed times.
 */
export type FollowSource = 'firehose' | 'jetstream' | 'poll';

export interface FollowOptions extends Omit<PullOptions, 'account' | 'meta' | 'onProgress' | 'rollback'> {
  /** Default: `firehose`. */
  readonly source?: FollowSource | undefined;
  /** The address of a Jetstream service. Default: `wss://jetstream2.us-east.bsky.network`. */
  readonly jetstreamUrl?: string | undefined;
  /**
   * Milliseconds between two looks at the host's head. Default: 60,000. It finds what a host does not announce, such as
   * an import, and connections that are silently broken.
   */
  readonly checkMs?: number | undefined;
  /** The class of WebSockets. Default: the platform's. Node 20 has none: pass that of the package `ws`. */
  readonly WebSocket?: WebSocketClass | undefined;
}

/**
 * - `connecting`: no connection yet.
 * - `catchingUp`: the copy is behind its host.
 * - `live`: the copy has the host's head, and each new one shortly.
 * - `resyncing`: an event did not fit, so the difference is fetched.
 * - `offline`: no connection, or the host failed. It is tried again.
 * - `inactive`: the host does not serve the account now. The connection stays, or is tried again.
 * - `closed`: the iteration has ended.
 */
export type FollowState = 'catchingUp' | 'closed' | 'connecting' | 'inactive' | 'live' | 'offline' | 'resyncing';

export type FollowUpdate =
  | {
      readonly type: 'state';
      readonly state: FollowState;
      /** Why it is offline or inactive. */
      readonly reason?: string | undefined;
      /** Of `offline`: when the next attempt begins, in milliseconds of Unix time. */
      readonly retryAt?: number | undefined;
    }
  | {
      readonly type: 'change';
      readonly from: CommitRef | undefined;
      readonly to: CommitRef;
      /** The first `MAX_REPORTED` changes, in key order. */
      readonly changes: readonly RecordChange[];
      /** What brought the change: an event of the host, or a pull. */
      readonly via: 'event' | 'pull';
    };

/** A copy that follows its host. It does so while it is iterated. */
export interface Follow extends AsyncIterable<FollowUpdate>, AsyncDisposable {
  readonly state: FollowState;
  /** Ends the iteration, after the change that is being written. */
  close(): Promise<void>;
}

/** What the sources of changes share. */
export interface Following {
  readonly repo: Repo;
  readonly options: FollowOptions;
  /** Aborts when the iteration ends. */
  readonly signal: AbortSignal;
  readonly checkMs: number;
  webSocket(): WebSocketClass;
  /** Pulls, and yields the change and the state that it leads to. Returns whether the account is active. */
  pullNow(): AsyncGenerator<FollowUpdate, boolean>;
  enter(state: FollowState, reason?: string): FollowUpdate;
}
