/** A repository of this browser, opened for a page through its worker. */
import type { Signer } from '../../core/crypto/signer.ts';
import { RepoError } from '../../core/errors.ts';
import { readOnlyRepo } from '../../core/repo/read-only.ts';
import type { Validate } from '../../core/repo/record.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { RemoteRepo } from '../rpc/client.ts';
import type { Connection, OpenRequest, WorkerLike } from '../rpc/connection.ts';
import { connect } from '../rpc/connection.ts';
import type { Locks } from '../origin/locks.ts';
import type { Send } from '../rpc/peer.ts';
import type { FromPage } from '../rpc/protocol.ts';
import { silenceError } from './heartbeat.ts';
import { watchPage } from './page-lifecycle.ts';

export interface OpenRemoteOptions extends OpenRequest {
  readonly signer: Signer | undefined;
  /** Refuses every write. The worker that has the files serves the reads. */
  readonly readOnly: boolean;
  readonly validate?: Validate | undefined;
  /** `undefined` where the page and its worker share no locks. */
  readonly locks: Locks | undefined;
  readonly isPersistent: (() => Promise<boolean>) | undefined;
}

/** A worker while it is wanted. */
export interface WorkerSupply {
  take(): { readonly worker: WorkerLike; readonly release: () => void };
  /** `take` makes another worker each time, which ends when it is released. */
  readonly isFresh: boolean;
}

/**
 * Opens, or with a DID makes, a repository. Rejects as the worker does, or with `StorageFailed` when it does not start.
 *
 * A page that is left may be frozen with its worker, and other tabs would wait for the files that it has open. Before
 * that, a worker of our own is terminated, as by a crash, which loses nothing; the page starts another one when it
 * comes back. A worker of the caller's is told to close the files, and given a moment for it.
 */
export const openRemote = (
  supply: WorkerSupply,
  { signer, validate, readOnly, locks, isPersistent, ...wanted }: OpenRemoteOptions,
): Promise<Repo> =>
  new Promise((resolve, reject) => {
    let repo: RemoteRepo | undefined;
    let connection: Connection | undefined;
    let release = (): void => {};
    let unwatch = (): void => {};
    /** The worker has ended, and so its files are closed, which is all that closing waits for. */
    let isGone = false;

    const letGo = (): void => {
      connection?.close();
      connection = undefined;
      release();
    };
    const end = (error: unknown): void => {
      unwatch();
      repo?.lost(
        error instanceof RepoError
          ? error
          : new RepoError('Closed', 'the worker of the repository has ended: open the repository again', {
              cause: error,
            }),
      );
      reject(error as Error);
      letGo();
    };
    const hangUp = async (): Promise<void> => {
      try {
        await connection?.worker.call('close', []);
      } catch (error) {
        if (!isGone) {
          throw error;
        }
      } finally {
        unwatch();
        letGo();
      }
    };
    const tell = (method: 'leave' | 'return'): void => {
      connection?.worker.call(method, []).catch(() => {
        // The worker has ended, of which the page hears by itself.
      });
    };
    const hide = (): void => {
      if (repo?.isClosed === true) {
        // A page that is left gets no replies, and its closing waits for them.
        repo.lost(new RepoError('Closed', 'the page was hidden while it closed the repository: open it again'));
      }
      if (supply.isFresh) {
        isGone = true;
        letGo();
      } else {
        tell('leave');
      }
    };
    const attach = async (generation: number, { port }: Connection): Promise<void> => {
      const send: Send = (message) => port.postMessage({ kind: 'repo', generation, message } satisfies FromPage);
      if (repo !== undefined) {
        repo.moved(send);
        return;
      }
      repo = new RemoteRepo(send, { signer, validate, hangUp, isPersistent });
      await repo.begin();
      unwatch = watchPage({
        onHide: hide,
        onShow: () => (supply.isFresh ? begin(undefined) : tell('return')),
        needsTime: !supply.isFresh,
      });
      resolve(readOnly ? readOnlyRepo(repo) : repo);
    };

    const begin = (did: string | undefined): void => {
      const taken = supply.take();
      release = taken.release;
      const opened = connect(taken.worker, locks, {
        page: {
          attached: (generation) => attach(generation, opened).catch(end),
          silent: async () => repo?.peer.giveUp(silenceError(wanted.name)),
        },
        onMessage: (message) => repo?.peer.receive(message),
        onEnd(error, hasEnded) {
          isGone = hasEnded;
          end(error);
        },
      });
      connection = opened;
      isGone = false;
      opened.worker.call('open', [{ ...wanted, did }]).catch((error: unknown) => connection === opened && end(error));
    };
    begin(wanted.did);
  });
