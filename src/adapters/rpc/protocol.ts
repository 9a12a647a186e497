/**
 * What crosses the wire between a page and the worker that has its repository, and between the workers of several tabs:
 * calls, their replies and streams. Everything here survives `structuredClone`; CIDs are packed as `wire-values.ts`
 * says. `methods.ts` has the calls.
 */
import type { RepoErrorCode } from '../../core/errors.ts';
import type { Progress } from '../../core/repo/long-work.ts';
import type { WireStream } from './streams.ts';

/** Raised when a tab with the code of before could not understand one with the code of now. */
export const PROTOCOL_VERSION = 3;

/** An error as data: neither its class nor its code survives `postMessage`. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly code?: RepoErrorCode | undefined;
  readonly cause?: ErrorData | undefined;
  /** Names the error object at the end where it was made. */
  readonly token?: string | undefined;
}

/** One message between two ends that ask each other. Each end numbers its own calls. */
export type Message =
  | { readonly kind: 'abort'; readonly id: number; readonly reason: ErrorData }
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly method: string;
      readonly params: readonly unknown[];
      /** The caller listens to progress. */
      readonly tells: boolean;
      /** The call was aborted before it was sent. The reply says what has happened already. */
      readonly aborted?: ErrorData | undefined;
    }
  | { readonly kind: 'change'; readonly change: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: ErrorData }
  /** Also after the reply, while the stream that the call returned is read. */
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress };

/** Where a browser keeps a repository. */
export type StorageKind = 'indexeddb' | 'opfs';

/** Where to keep a repository, or to look for it. */
export type WantedStorage = StorageKind | 'auto';

/** What a page wants of its worker. */
export type WorkerRequest =
  | { readonly do: 'exportFolder'; readonly name: string; readonly storage: WantedStorage }
  | {
      readonly do: 'importFolder';
      readonly name: string;
      readonly storage: WantedStorage;
      readonly files: WireStream;
    }
  | { readonly do: 'list' }
  | {
      readonly do: 'open';
      readonly name: string;
      /** Makes the repository, of this account. */
      readonly did?: string | undefined;
      readonly storage: WantedStorage;
      readonly waitMs: number;
    }
  | { readonly do: 'remove'; readonly name: string };

/** The first message to a worker, which may hear other things as well. It comes with a port for the replies. */
export interface WorkerGreeting {
  readonly pdsdb: typeof PROTOCOL_VERSION;
  /**
   * Names this request among all tabs: a text that no other request has. Until it is done the worker holds the lock of
   * this name, see {@link memberLock}.
   */
  readonly member: string;
  readonly request: WorkerRequest;
}

/** What is known once a worker serves the repository. */
export interface Attachment {
  /** Rises each time another worker serves the calls. Messages that a page has sent under an older one are dropped. */
  readonly generation: number;
  readonly did: string;
  /** Of the head. */
  readonly rev: string | undefined;
  readonly storage: StorageKind;
}

/** From a page to its worker. `leave` is for a page that goes out of sight, `return` for one that comes back. */
export type FromPage =
  | { readonly kind: 'close' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'message'; readonly generation: number; readonly message: Message }
  | { readonly kind: 'return' };

/**
 * From a worker to its page. `begun` comes first, once the worker holds its lock. After `failed` and `closed` nothing
 * follows. `silent` says that the worker with the files does not reply: the page waits no longer for its calls.
 */
export type FromWorker =
  | { readonly kind: 'attached'; readonly attachment: Attachment }
  | { readonly kind: 'begun' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'silent'; readonly error: ErrorData };

/**
 * Between the workers of several tabs, on a channel that all of them hear. A worker that closes sends `bye`, and gets a
 * reply when all its calls have ended. A worker that may be frozen sends `away`, and no other waits for it. The worker
 * with the files replies to a `ping`.
 */
export type ChannelMessage =
  | { readonly kind: 'away' | 'bye' | 'pong'; readonly from: string; readonly to: string }
  | { readonly kind: 'hello' | 'ping'; readonly from: string }
  | {
      readonly kind: 'here';
      readonly from: string;
      readonly to?: string | undefined;
      readonly about: Omit<Attachment, 'generation'>;
    }
  | { readonly kind: 'message'; readonly from: string; readonly to: string; readonly message: Message };

/** The lock of the worker that has the files of a repository open. */
export const leaderLock = (storage: StorageKind, name: string): string => `pdsdb:leader:${storage}:${name}`;
/** The lock that a worker holds while it works on a request, so that others notice its end. */
export const memberLock = (member: string): string => `pdsdb:member:${member}`;
/** The channel of a repository. */
export const channelName = (storage: StorageKind, name: string): string =>
  `pdsdb:${PROTOCOL_VERSION}:${storage}:${name}`;
