/** The page's end of the entry point: its use of a worker, on a port of its own. */
import { RepoError } from '../../core/errors.ts';
import { fromErrorData } from './error-data.ts';
import type { WireFile } from './files.ts';
import { isReleased } from '../origin/locks.ts';
import type { Locks } from '../origin/locks.ts';
import type { Handlers } from './peer.ts';
import { Peer } from './peer.ts';
import type { FromPage, Message, ToPage, WantedStorage, WorkerGreeting } from './protocol.ts';
import { PROTOCOL_VERSION, memberLock } from './protocol.ts';
import { uniqueName } from './unique-name.ts';

/** The last messages of a worker may arrive after the release of its lock, which tells of its end. */
const LAST_WORDS_MS = 100;

/**
 * How long a worker may take to load its script and to say that it has begun. If the script cannot be loaded, only the
 * first request gets an event; a worker that was terminated says nothing.
 */
const START_MS = 20_000;

export interface OpenRequest {
  readonly name: string;
  /** Makes the repository, of this account. */
  readonly did?: string | undefined;
  readonly storage: WantedStorage;
  /** How long to wait for a sign of the worker that has the files. */
  readonly waitMs: number;
}

/** The calls of a page to its worker. */
export interface WorkerMethods {
  list(): readonly unknown[];
  remove(name: string): void;
  exportFolder(name: string, storage: WantedStorage): AsyncIterable<WireFile>;
  importFolder(name: string, storage: WantedStorage, files: AsyncIterable<WireFile>): unknown;
  /** Opens or makes a repository. Resolves after the first {@link PageMethods.attached}. */
  open(request: OpenRequest): void;
  /** The page goes out of sight, and may be frozen: closes the files that are open for it. */
  leave(): void;
  /** The page is back. */
  return(): void;
  /** The page has no more use of the worker. Resolves when the files that are open for it are closed. */
  close(): void;
}

/** The calls of a worker to its page. */
export interface PageMethods {
  /** The page's calls reach the repository from now on, under this number. Called again after each failover. */
  attached(generation: number): void;
  /** The worker that has the files does not reply: the page waits no longer for its calls. */
  silent(): void;
}

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
  readonly worker: Peer<WorkerMethods, PageMethods>;
  /** Takes the messages for the repository. */
  readonly port: Pick<MessagePort, 'postMessage'>;
  /** Ends the use of the worker. */
  close(): void;
}

/** The events of a connection. None follows `onEnd`. */
export interface ConnectionEvents {
  /** The calls to a page that opens a repository. */
  readonly page?: Handlers<PageMethods>;
  /** A message of the repository. */
  readonly onMessage?: (message: Message) => void;
  /** The worker has refused or failed; or it `isGone`, and its files are closed. */
  readonly onEnd?: (error: unknown, isGone: boolean) => void;
}

const NO_PAGE: Handlers<PageMethods> = { attached: async () => {}, silent: async () => {} };

const failureOf = (event: Event): RepoError => {
  const { message, error } = event as Partial<ErrorEvent>;
  // The event of a script that cannot be loaded has no message.
  const what = message === undefined || message === '' ? 'its script could not be loaded' : message;
  return new RepoError('StorageFailed', `the worker did not start: ${what}. Check its URL and the console`, {
    cause: error ?? event,
  });
};

/**
 * Begins to use a worker.
 * @param locks The worker holds one of them as long as the connection; `undefined` where the page and the worker share
 *   no locks.
 */
export const connect = (
  worker: WorkerLike,
  locks: Locks | undefined,
  { page = NO_PAGE, onMessage, onEnd }: ConnectionEvents = {},
): Connection => {
  const { port1: port, port2: theirs } = new MessageChannel();
  const member = uniqueName();
  const watch = new AbortController();
  let hasReplied = false;

  const peer = new Peer<WorkerMethods, PageMethods>(
    (message) => port.postMessage({ kind: 'worker', message } satisfies FromPage),
    page,
  );
  const close = (): void => {
    watch.abort();
    clearTimeout(start);
    worker.removeEventListener('error', onError);
    peer.call('close', []).catch(() => {});
    peer.end(new RepoError('Closed', 'the page has no more use of the worker'));
    port.close();
  };
  const end = (error: unknown, isGone: boolean): void => {
    peer.end(error);
    close();
    onEnd?.(error, isGone);
  };
  const onError = (event: Event): void => end(failureOf(event), true);
  const start = setTimeout(
    () =>
      end(
        new RepoError(
          'StorageFailed',
          `the worker did not start: it sent no message in ${START_MS} ms. Check that it calls serveRepos`,
        ),
        true,
      ),
    START_MS,
  );

  /** A worker that is terminated, or crashes, fires no event; but the browser lets go of its locks. */
  const watchLife = async (shared: Locks): Promise<void> => {
    if (await isReleased(shared, memberLock(member), watch.signal)) {
      await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
      if (!watch.signal.aborted) {
        end(
          new RepoError(hasReplied ? 'Closed' : 'StorageFailed', 'the worker has ended: open the repository again'),
          true,
        );
      }
    }
  };

  port.onmessage = ({ data }: MessageEvent<ToPage>) => {
    switch (data.kind) {
      case 'begun':
        clearTimeout(start);
        // From now on an error event comes from other code in the worker, and does not end it.
        worker.removeEventListener('error', onError);
        if (locks !== undefined) {
          watchLife(locks).catch((error: unknown) => end(error, false));
        }
        break;
      case 'failed':
        end(fromErrorData(data.error), false);
        break;
      case 'repo':
        onMessage?.(data.message);
        break;
      case 'worker':
        hasReplied ||= data.message.kind === 'reply';
        peer.receive(data.message);
        break;
    }
  };
  worker.addEventListener('error', onError);
  worker.postMessage({ pdsdb: PROTOCOL_VERSION, request: member } satisfies WorkerGreeting, [theirs]);
  return { worker: peer, port, close };
};
