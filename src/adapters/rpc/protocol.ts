/**
 * What crosses the wire between a page and its worker, and between the workers of several tabs: messages of peers, with
 * values as `wire-values.ts` packs them. `methods.ts` has the calls.
 */
import type { RepoErrorCode } from '../../core/errors.ts';

/** Raised when a tab with the code of before could not understand one with the code of now. */
export const PROTOCOL_VERSION = 4;

/** An error as data: neither its class nor its code survives `postMessage`. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly code?: RepoErrorCode | undefined;
  readonly cause?: ErrorData | undefined;
  /** Names the error object at the end where it was made. */
  readonly token: string;
}

/** One message between two ends that ask each other. Each end numbers its own calls. */
export type Message =
  | { readonly kind: 'abort'; readonly id: number; readonly reason: ErrorData }
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly method: string;
      readonly params: readonly unknown[];
      /** The call was aborted before it was sent. The reply says what has happened already. */
      readonly aborted?: ErrorData | undefined;
    }
  | { readonly kind: 'failure'; readonly id: number; readonly error: ErrorData }
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown };

/** Where a browser keeps a repository. */
export type StorageKind = 'indexeddb' | 'opfs';

/** Where to keep a repository, or to look for it. */
export type WantedStorage = StorageKind | 'auto';

/**
 * The first message to a worker, which may hear other things as well. It comes with a port for all others. These fields
 * and {@link ToPage} `failed` stay, so that ends of two versions notice.
 */
export interface WorkerGreeting {
  readonly pdsdb: typeof PROTOCOL_VERSION;
  /** A text that no other tab has. As long as the worker works for the page, it holds the {@link memberLock} of it. */
  readonly request: string;
}

/**
 * From a page, for its worker or for the worker that has the repository. The generation rises each time another worker
 * serves the calls: messages of an older one are dropped.
 */
export type FromPage =
  | { readonly kind: 'repo'; readonly generation: number; readonly message: Message }
  | { readonly kind: 'worker'; readonly message: Message };

/** To a page, from the same. `begun` comes first, once the worker holds its lock. After `failed`, nothing follows. */
export type ToPage =
  | { readonly kind: 'begun' }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  | { readonly kind: 'repo' | 'worker'; readonly message: Message };

/**
 * Between the workers of several tabs, on a channel that all of them hear. The worker with the files says `here` when
 * it begins and after each `hello`, and replies to a `ping`. Another one that closes, or may be frozen, sends `away`.
 */
export type ChannelMessage =
  | { readonly kind: 'away' | 'pong'; readonly from: string; readonly to: string }
  | { readonly kind: 'hello' | 'here' | 'ping'; readonly from: string }
  | { readonly kind: 'message'; readonly from: string; readonly to: string; readonly message: Message };

/** The lock of the worker that has the files of a repository open. */
export const leaderLock = (storage: StorageKind, name: string): string => `pdsdb:leader:${storage}:${name}`;
/** The lock that a worker holds while it works for a page, so that others notice its end. */
export const memberLock = (member: string): string => `pdsdb:member:${member}`;
/** The channel of a repository. */
export const channelName = (storage: StorageKind, name: string): string =>
  `pdsdb:${PROTOCOL_VERSION}:${storage}:${name}`;
