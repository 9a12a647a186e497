/** The page's end of the entry point: a request to a worker, on a port of its own. */
import { RepoError } from '../../core/errors.ts';
import { fromErrorData } from './error-data.ts';
import { isReleased } from './locks.ts';
import type { Locks } from './locks.ts';
import type { FromPage, FromWorker, WorkerGreeting, WorkerRequest } from './protocol.ts';
import { PROTOCOL_VERSION, memberLock } from './protocol.ts';
import { uniqueName } from './unique-name.ts';

/** The last messages of a worker may arrive after the release of its lock, which tells of its end. */
const LAST_WORDS_MS = 100;

/**
 * How long a worker may take to load its script and to say that it has begun. If the script cannot be loaded, only the
 * first request gets an event; a worker that was terminated says nothing.
 */
const START_MS = 20_000;

/** `Worker`, as far as it is used. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void;
  removeEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void;
}

/** `Worker`, or what stands in for one. */
export interface RepoWorker extends WorkerLike {
  terminate(): void;
}

export interface Connection {
  /** Takes {@link FromPage}. */
  readonly port: Pick<MessagePort, 'postMessage'>;
  close(): void;
}

/** The events of a connection. None follows `onEnd`. */
export interface ConnectionEvents {
  onMessage(message: Exclude<FromWorker, { readonly kind: 'begun' | 'failed' }>): void;
  /** The worker has refused or failed; or it `isGone`, and its files are closed. */
  onEnd(error: unknown, isGone: boolean): void;
}

const failureOf = (event: Event): RepoError => {
  const { message, error } = event as Partial<ErrorEvent>;
  // The event of a script that cannot be loaded has no message.
  const what = message === undefined || message === '' ? 'its script could not be loaded' : message;
  return new RepoError('StorageFailed', `the worker did not start: ${what}`, { cause: error ?? event });
};

/**
 * Sends a request to a worker.
 * @param locks The worker holds one of them while it works on the request; `undefined` where the page and the worker
 *   share no locks.
 */
export const connect = (
  worker: WorkerLike,
  request: WorkerRequest,
  locks: Locks | undefined,
  { onMessage, onEnd }: ConnectionEvents,
): Connection => {
  const { port1: port, port2: theirs } = new MessageChannel();
  const member = uniqueName();
  const watch = new AbortController();
  let hasBegun = false;
  let hasReplied = false;

  const close = (): void => {
    watch.abort();
    clearTimeout(start);
    port.close();
    worker.removeEventListener('error', onError);
  };
  const end = (error: unknown, isGone: boolean): void => {
    close();
    onEnd(error, isGone);
  };
  const onError = (event: Event): void => end(failureOf(event), true);
  const start = setTimeout(
    () => end(new RepoError('StorageFailed', `the worker did not start: it has said nothing in ${START_MS} ms`), true),
    START_MS,
  );

  /** A worker that is terminated, or crashes, fires no event; but the browser lets go of its locks. */
  const watchLife = async (shared: Locks): Promise<void> => {
    if (await isReleased(shared, memberLock(member), watch.signal)) {
      await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
      if (!watch.signal.aborted) {
        const code = hasReplied ? 'Closed' : 'StorageFailed';
        end(new RepoError(code, `the worker has ended; asked=${request.do}`), true);
      }
    }
  };

  port.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (!hasBegun) {
      hasBegun = true;
      clearTimeout(start);
      // From now on an error event comes from other code in the worker, and does not end it.
      worker.removeEventListener('error', onError);
    }
    hasReplied ||= data.kind === 'attached' || data.kind === 'done';
    if (data.kind === 'failed') {
      end(fromErrorData(data.error), false);
    } else if (data.kind !== 'begun') {
      onMessage(data);
    } else if (locks !== undefined) {
      watchLife(locks).catch((error: unknown) => end(error, false));
    }
  };
  worker.addEventListener('error', onError);
  worker.postMessage({ pdsdb: PROTOCOL_VERSION, member, request } satisfies WorkerGreeting, [theirs]);
  return { port, close };
};
