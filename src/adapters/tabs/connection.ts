/** The page's end of the entry point: its use of a worker, on a port of its own. */
import { pause } from '../../core/data/pause.ts';
import { RepoError } from '../../core/errors.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { isReleased } from '../origin/locks.ts';
import type { Locks } from '../origin/locks.ts';
import { ErrorBook } from '../rpc/error-data.ts';
import { Peer } from '../rpc/peer.ts';
import type { ErrorData, Message, StorageKind, WantedStorage } from '../rpc/protocol.ts';
import { PROTOCOL_VERSION } from '../rpc/protocol.ts';
import { uniqueName } from '../rpc/unique-name.ts';
import type { Candidate } from './candidate.ts';
import type { Channel, ChannelMessage } from './channel.ts';
import { memberLock, portChannel } from './channel.ts';
import type { RepoPlaces } from './repo-place.ts';

/** The last messages of a worker may arrive after the release of its lock, which tells of its end. */
const LAST_WORDS_MS = 100;

/**
 * How long a worker may take to load its script and to say that it has begun. If the script cannot be loaded, only the
 * first request gets an event; a worker that was terminated says nothing.
 */
const START_MS = 20_000;

/**
 * The first message to a worker, which may hear other things as well. It comes with a port for all others. These fields
 * and {@link ToPage} `failed` stay, so that ends of two versions notice.
 */
export interface WorkerGreeting {
  readonly pdsdb: typeof PROTOCOL_VERSION;
  /** A text that no other tab has. As long as the worker works for the page, it holds the {@link memberLock} of it. */
  readonly request: string;
}

/** From a page to its worker, or to the leader in it. */
export type ToWorker = Extract<ChannelMessage, { readonly from: string }> | Message;

/**
 * From a worker, or the leader in it, to its page. `begun` comes first, once the worker holds its lock. After `failed`,
 * nothing follows.
 */
export type ToPage = ToWorker | { readonly kind: 'begun' } | { readonly kind: 'failed'; readonly error: ErrorData };

/** The calls of a page to its worker. */
export interface WorkerMethods extends Omit<RepoPlaces, 'find'>, Pick<Candidate, 'follow' | 'lead'> {
  /**
   * Finds the repository, or the place of a new one.
   * @param did Makes the repository, of this account.
   */
  find(name: string, storage: WantedStorage, did: string | undefined): Promise<StorageKind>;
  /** The page has no more use of the worker. Resolves when the files that are open for it are closed. */
  close(): Promise<void>;
}

/** `Worker`, or what stands in for one. */
export interface RepoWorker {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void;
  removeEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void;
  terminate(): void;
}

/** A worker, or a function that makes another one for each use, which is terminated at its end. */
export type WorkerSource = RepoWorker | (() => RepoWorker);

export interface Connection {
  readonly worker: Peer<WorkerMethods, object>;
  /** A text that no other connection has. The worker holds the {@link memberLock} of it as long as the connection. */
  readonly member: string;
  /** The way to a leader in the worker. */
  readonly own: Channel;
  /** Ends the use of the worker. */
  close(): void;
}

/**
 * Begins to use a worker.
 * @param locks The worker holds one of them as long as the connection; `undefined` where the page and the worker share
 *   no locks.
 * @param onEnd The worker has refused, failed or ended. Called once.
 */
export const connect = (
  source: WorkerSource,
  locks: Locks | undefined,
  onEnd: (error: unknown) => void = () => {},
): Connection => {
  const worker = typeof source === 'function' ? source() : source;
  const { port1: port, port2: theirs } = new MessageChannel();
  const member = uniqueName();
  const watch = new AbortController();

  const own = portChannel((message) => port.postMessage(message));
  const peer = new Peer<WorkerMethods, object>((message) => port.postMessage(message), {});
  const close = (error: unknown = new RepoError('Closed', 'the page has no more use of the worker')): void => {
    watch.abort();
    clearTimeout(start);
    worker.removeEventListener('error', onError);
    peer.call('close', []).catch(() => {});
    peer.end(error);
    port.close();
    if (worker !== source) {
      worker.terminate();
    }
  };
  const end = (error: unknown): void => {
    if (!watch.signal.aborted) {
      close(error);
      onEnd(error);
    }
  };
  const notStarted = (what: string, cause?: unknown): void =>
    end(new RepoError('StorageFailed', `the worker did not start: ${what}`, { cause }));
  const onError = (event: Event): void => {
    const { message, error } = event as Partial<ErrorEvent>;
    // The event of a script that cannot be loaded has no message.
    notStarted(`${message || 'its script could not be loaded'}. Check its URL and the console`, error ?? event);
  };
  const start = setTimeout(
    () => notStarted(`it sent no message in ${START_MS} ms. Check that it calls serveRepos`),
    START_MS,
  );

  /** A worker that is terminated, or crashes, fires no event; but the browser lets go of its locks. */
  const watchLife = async (shared: Locks): Promise<void> => {
    if (await isReleased(shared, memberLock(member), watch.signal)) {
      await pause(LAST_WORDS_MS, undefined);
      end(new RepoError('StorageFailed', 'the worker has ended: open the repository again'));
    }
  };

  port.onmessage = ({ data }: MessageEvent<ToPage>) => {
    if (data.kind === 'begun') {
      clearTimeout(start);
      // From now on an error event comes from other code in the worker, and does not end it.
      worker.removeEventListener('error', onError);
      if (locks !== undefined) {
        watchLife(locks).catch(end);
      }
    } else if (data.kind === 'failed') {
      end(new ErrorBook().toError(data.error));
    } else if ('from' in data) {
      own.onmessage?.({ data });
    } else {
      peer.receive(data);
    }
  };
  worker.addEventListener('error', onError);
  worker.postMessage({ pdsdb: PROTOCOL_VERSION, request: member } satisfies WorkerGreeting, [theirs]);
  return { worker: peer, member, own, close: () => close() };
};

/** Asks a worker for something that has one reply. */
export const ask = async <K extends 'importFolder' | 'list' | 'remove'>(
  worker: WorkerSource,
  locks: Locks | undefined,
  method: K,
  ...params: Parameters<WorkerMethods[K]>
): Promise<Awaited<ReturnType<WorkerMethods[K]>>> => {
  const connection = connect(worker, locks);
  return connection.worker.call(method, params).finally(connection.close);
};

/** The files of a repository in the worker. */
export async function* takeFromWorker(
  worker: WorkerSource,
  locks: Locks | undefined,
  ...params: Parameters<WorkerMethods['exportFolder']>
): AsyncGenerator<BackupFile, void, undefined> {
  const connection = connect(worker, locks);
  try {
    yield* connection.worker.open('exportFolder', params) as AsyncGenerator<BackupFile, void>;
  } finally {
    connection.close();
  }
}
