/** The page's side of the door: a worker, asked for one thing on a port of its own. */
import { RepoError } from '../../core/errors.ts';
import { createErrorBook } from './error-data.ts';
import type { Locks } from './locks.ts';
import type { FromPage, FromWorker, WorkerGreeting, WorkerRequest } from './protocol.ts';
import { PROTOCOL_VERSION, memberLock } from './protocol.ts';

/** Messages and locks come by different ways: the last words of a worker may arrive after the news of its end. */
const LAST_WORDS_MS = 100;

/** `Worker`, as far as it is used. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void;
  removeEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void;
}

export interface Connection {
  send(message: FromPage): void;
  close(): void;
}

/** What a connection tells. Nothing follows `onEnd`. */
export interface ConnectionEvents {
  onMessage(message: Exclude<FromWorker, { readonly kind: 'failed' }>): void;
  /** The worker has refused, failed or died. */
  onEnd(error: unknown): void;
}

const failureOf = (event: Event): RepoError => {
  const { message, error } = event as Partial<ErrorEvent>;
  // A script that cannot be loaded gives an event that says nothing.
  const what = message === undefined || message === '' ? 'its script could not be loaded' : message;
  return new RepoError('StorageFailed', `the worker did not start: ${what}`, { cause: error ?? event });
};

/** Asks a worker for something. */
export const connect = (worker: WorkerLike, request: WorkerRequest, locks: Locks, { onMessage, onEnd }: ConnectionEvents): Connection => {
  const { port1: port, port2: theirs } = new MessageChannel();
  const watch = new AbortController();

  const close = (): void => {
    watch.abort();
    port.close();
    worker.removeEventListener('error', onError);
  };
  const end = (error: unknown): void => {
    close();
    onEnd(error);
  };
  const onError = (event: Event): void => end(failureOf(event));

  /** A worker that is terminated, or crashes, fires no event; but the browser lets go of its locks. */
  const watchLife = (member: string): void => {
    locks
      .request(memberLock(member), { signal: watch.signal }, async () => {
        await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
        if (!watch.signal.aborted) {
          end(new RepoError('Closed', 'the worker that had the repository has ended'));
        }
      })
      .catch((error: unknown) => {
        if (!watch.signal.aborted) {
          end(error);
        }
      });
  };

  let answered = false;
  port.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (!answered) {
      answered = true;
      // From now on an error in the worker is one of other code in it: it does not end the worker.
      worker.removeEventListener('error', onError);
      if (data.kind === 'attached' && request.do === 'open') {
        watchLife(request.member);
      }
    }
    if (data.kind === 'failed') {
      end(createErrorBook().toError(data.error));
    } else {
      onMessage(data);
    }
  };
  worker.addEventListener('error', onError);
  worker.postMessage({ pdsdb: PROTOCOL_VERSION, request } satisfies WorkerGreeting, [theirs]);
  return { send: (message) => port.postMessage(message), close };
};

/** Asks a worker for something that is answered once. */
export const ask = (worker: WorkerLike, request: Exclude<WorkerRequest, { readonly do: 'open' }>, locks: Locks): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const connection = connect(worker, request, locks, {
      onMessage(message) {
        if (message.kind === 'done') {
          connection.close();
          resolve(message.value);
        }
      },
      onEnd: reject,
    });
  });
