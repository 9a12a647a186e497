/** A repository of this browser, opened for a page through its worker. */
import { RepoError } from '../../core/errors.ts';
import { readOnlyRepo } from '../../core/repo/read-only.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { RemoteRepoOptions } from '../rpc/client.ts';
import { RemoteRepo } from '../rpc/client.ts';
import type { Connection, WorkerSource } from './connection.ts';
import { connect } from './connection.ts';
import type { Locks } from '../origin/locks.ts';
import type { WantedStorage } from '../rpc/protocol.ts';
import type { OpenChannel } from './channel.ts';
import { silenceError } from './heartbeat.ts';
import { LeaderLink } from './leader-link.ts';
import { watchPage } from './page-lifecycle.ts';

export interface OpenRemoteOptions extends Omit<RemoteRepoOptions, 'hangUp'> {
  readonly name: string;
  /** Makes the repository, of this account. */
  readonly did?: string | undefined;
  readonly storage: WantedStorage;
  /** How long to wait for a sign of the worker that has the files. */
  readonly waitMs: number;
  /** Refuses every write. The worker that has the files serves the reads. */
  readonly readOnly: boolean;
  /** `undefined` where the page and its worker share no locks. */
  readonly locks: Locks | undefined;
  readonly openChannel: OpenChannel;
}

/**
 * Opens, or with a DID makes, a repository. Rejects as the worker does, or with `StorageFailed` when it does not start.
 *
 * A page that is left may be frozen with its worker, and other tabs would wait for the files that it has open. Before
 * that, the page ends its use of the worker, and begins again when it comes back. A worker of our own is terminated, as
 * by a crash, which loses nothing. A worker of the caller's is told to close the files, and given a moment for it.
 */
export const openRemote = (worker: WorkerSource, options: OpenRemoteOptions): Promise<Repo> =>
  new Promise((resolve, reject) => {
    const { name, did, storage, waitMs, readOnly, locks, openChannel } = options;
    /** The use of a worker, unless the page is out of sight. */
    let connection: Connection | undefined;
    let link: LeaderLink | undefined;
    let timeout: ReturnType<typeof setTimeout> | undefined;
    let unwatch = (): void => {};
    /** A leader was found. */
    let opening: Promise<void> | undefined;

    const letGo = (): void => {
      clearTimeout(timeout);
      link?.end();
      connection?.close();
      [link, connection] = [undefined, undefined];
    };
    const end = (error: unknown): void => {
      unwatch();
      repo.lost(error);
      reject(error as Error);
      letGo();
    };
    const hangUp = async (): Promise<void> => {
      try {
        await connection?.worker.call('close', []);
      } catch (error) {
        // A worker that has ended, or that the page has let go, has no files open, which is all that closing waits for.
        if (connection !== undefined) {
          throw error;
        }
      } finally {
        unwatch();
        letGo();
      }
    };
    const onHide = (): void => {
      if (repo.peer.isClosed) {
        // A page that is left gets no replies, and its closing waits for them.
        repo.lost(new RepoError('Closed', 'the page was hidden while it closed the repository: open it again'));
      }
      letGo();
    };
    const onShow = (): void => {
      if (connection === undefined) {
        begin();
      }
    };
    /** Sends nothing before `moved` gives it the way to a leader. */
    const repo = new RemoteRepo(() => {}, { ...options, hangUp });
    const opened = (): void => {
      unwatch = watchPage({ onHide, onShow, needsTime: typeof worker !== 'function' });
      resolve(readOnly ? readOnlyRepo(repo) : repo);
    };

    /** Looks for the leader, which the worker may become. */
    const look = async (): Promise<void> => {
      const used = connect(worker, locks, end);
      connection = used;
      const isFirst = opening === undefined;
      try {
        const found = await used.worker.call('find', [name, storage, isFirst ? did : undefined]);
        if (isFirst) {
          timeout = setTimeout(() => end(silenceError(name, waitMs)), waitMs);
        }
        link = new LeaderLink({
          name,
          storage: found,
          connection: used,
          openChannel,
          peer: repo.peer,
          onLeader(send, isOwn) {
            clearTimeout(timeout);
            if (!isOwn && did !== undefined && opening === undefined) {
              end(new RepoError('RepoExists', `the repository already exists: open it with openRepo; name=${name}`));
              return;
            }
            if (!isOwn) {
              // The worker may have ended, of which the page hears by itself.
              used.worker.call('follow', []).catch(() => {});
            }
            const moved = repo.moved(send);
            opening ??= moved.then(opened, end);
          },
        });
        await used.worker.call('lead', [!isFirst]);
        clearTimeout(timeout);
      } catch (error) {
        if (connection === used) {
          end(error);
        }
      }
    };
    /** A browser that lacks a part makes no worker. */
    const begin = (): void => {
      look().catch(end);
    };
    begin();
  });
