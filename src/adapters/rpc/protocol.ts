/**
 * What crosses the wire between a page and a worker, its own or the one of another tab: messages of peers, with values
 * as `sent-values.ts` packs them. `server.ts` has the calls.
 */
import type { RepoErrorCode } from '../../core/errors.ts';

/** Raised when a tab with the code of before could not understand one with the code of now. */
export const PROTOCOL_VERSION = 8;

/** An error as data: neither its class nor its code survives `postMessage`. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly code?: RepoErrorCode | undefined;
  readonly cause?: ErrorData | undefined;
  /** Names the error object at the end where it was made. */
  readonly token: string;
}

/** One message between two ends that ask each other. Each end numbers its own calls. A failed call has an error. */
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
  | { readonly kind: 'reply'; readonly id: number; readonly value?: unknown; readonly error?: ErrorData | undefined };

/** What stands for a value that cannot be cloned. No value of ours has a field of the name `/`. A CID has no kind. */
export interface Reference {
  readonly '/': string;
  readonly kind?: 'bytes' | 'content' | 'function' | 'items' | 'signal' | 'text' | undefined;
}

/** Items of a stream, and whether they are the last ones. */
export type Page = IteratorResult<readonly unknown[], readonly unknown[]>;

/** Where a browser keeps a repository. */
export type StorageKind = 'indexeddb' | 'opfs';

/** Where to keep a repository, or to look for it. */
export type WantedStorage = StorageKind | 'auto';
