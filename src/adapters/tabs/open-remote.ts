/** A repository of this browser, opened for a page through its worker. */
import type { Signer } from '../../core/crypto/signer.ts';
import { RepoError } from '../../core/errors.ts';
import { readOnlyRepo } from '../../core/repo/read-only.ts';
import type { Validate } from '../../core/repo/record.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { RemoteRepo } from '../rpc/client.ts';
import type { Connection, WorkerLike } from './connection.ts';
import { connect } from './connection.ts';
import type { Locks } from '../origin/locks.ts';
import type { WantedStorage } from '../rpc/protocol.ts';
import type { OpenChannel } from './channel.ts';
import { silenceError } from './heartbeat.ts';
import { LeaderLink } from './leader-link.ts';
import { watchPage } from './page-lifecycle.ts';

export interface OpenRemoteOptions {
  readonly name: string;
  /** Makes the repository, of this account. */
  readonly did?: string | undefined;
  readonly storage: WantedStorage;
  /** How long to wait for a sign of the worker that has the files. */
  readonly waitMs: number;
  readonly signer: Signer | undefined;
  /** Refuses every write. The worker that has the files serves the reads. */
  readonly readOnly: boolean;
  readonly validate?: Validate | undefined;
  /** `undefined` where the page and its worker share no locks. */
  readonly locks: Locks | undefined;
  readonly openChannel: OpenChannel;
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
 * that, the page ends its use of the worker, and begins again when it comes back. A worker of our own is terminated, as
 * by a crash, which loses nothing. A worker of the caller's is told to close the files, and given a moment for it.
 */
export const openRemote = (
  supply: WorkerSupply,
  { name, did, storage, waitMs, signer, validate, readOnly, locks, openChannel, isPersistent }: OpenRemoteOptions,
): Promise<Repo> =>
  new Promise((resolve, reject) => {
    /** The use of a worker, unless the page is out of sight. */
    let connection: Connection | undefined;
    let letGo = (): void => {};
    let unwatch = (): void => {};
    let timeout: ReturnType<typeof setTimeout> | undefined;
    /** A leader was found. */
    let opening: Promise<void> | undefined;
    /** The worker has ended, and so its files are closed, which is all that closing waits for. */
    let isGone = false;

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
        if (!isGone) {
          throw error;
        }
      } finally {
        unwatch();
        letGo();
      }
    };
    const hide = (): void => {
      if (repo.peer.isClosed) {
        // A page that is left gets no replies, and its closing waits for them.
        repo.lost(new RepoError('Closed', 'the page was hidden while it closed the repository: open it again'));
      }
      isGone = true;
      letGo();
    };
    /** Sends nothing before `moved` gives it the way to a leader. */
    const repo = new RemoteRepo(() => {}, { signer, validate, hangUp, isPersistent });
    const opened = (): void => {
      unwatch = watchPage({ onHide: hide, onShow: begin, needsTime: !supply.isFresh });
      resolve(readOnly ? readOnlyRepo(repo) : repo);
    };

    /** Looks for the leader, which the worker may become. */
    const look = async (): Promise<void> => {
      const { worker, release } = supply.take();
      let link: LeaderLink | undefined;
      const used = connect(worker, locks, (error, hasEnded) => {
        isGone = hasEnded;
        end(error);
      });
      connection = used;
      isGone = false;
      letGo = () => {
        clearTimeout(timeout);
        link?.end();
        used.close();
        release();
        connection = undefined;
        letGo = () => {};
      };
      const isFirst = opening === undefined;
      try {
        const found = await used.worker.call('find', [name, storage, isFirst ? did : undefined]);
        if (connection !== used) {
          return;
        }
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
