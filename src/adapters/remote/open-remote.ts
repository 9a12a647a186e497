/** A repository of this browser, opened for a page through its worker. */
import { RepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo.ts';
import type { Signer } from '../../core/signer.ts';
import { RemoteRepo } from './client.ts';
import { uniqueName } from './client-writes.ts';
import type { Connection, WorkerLike } from './connection.ts';
import { connect } from './connection.ts';
import type { Locks } from './locks.ts';
import type { Attachment, WantedStorage } from './protocol.ts';
import { pageLock } from './protocol.ts';
import type { Send } from './peer.ts';
import { watchPage } from './page-life.ts';

export interface OpenRemoteOptions {
  readonly name: string;
  readonly did: string | undefined;
  readonly storage: WantedStorage;
  readonly waitMs: number;
  readonly signer: Signer | undefined;
  readonly locks: Locks;
  readonly isPersistent: (() => Promise<boolean>) | undefined;
  /** Called once, when the worker has nothing more to do for this repository. */
  readonly onEnd: () => void;
}

/**
 * Keeps a page with an open repository out of the cache of pages gone back and forth in, where Chromium freezes its
 * worker at once, with all that it has open, and other tabs would wait for it for minutes. A page that holds a lock is
 * not put there.
 */
const holdPage = (locks: Locks, member: string): (() => void) => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  locks.request(pageLock(member), {}, () => held).catch(() => {
    // Without the lock the page may be frozen; nothing else depends on it.
  });
  return letGo;
};

/** Opens, or with a DID makes, a repository. Rejects as the worker does, or with `StorageFailed` when it does not start. */
export const openRemote = (worker: WorkerLike, { name, did, storage, waitMs, signer, locks, isPersistent, onEnd }: OpenRemoteOptions): Promise<Repo> =>
  new Promise((resolve, reject) => {
    const member = uniqueName();
    let repo: RemoteRepo | undefined;
    let hungUp = (): void => {};
    let unwatch = (): void => {};

    const end = (): void => {
      unwatch();
      hungUp();
      onEnd();
    };
    const sendUnder =
      ({ generation }: Attachment): Send =>
      (message) =>
        connection.send({ kind: 'message', generation, message });
    const hangUp = (): Promise<void> =>
      new Promise((done) => {
        hungUp = done;
        connection.send({ kind: 'close' });
      });
    const attach = (attachment: Attachment): void => {
      if (repo !== undefined) {
        repo.moved(attachment, sendUnder(attachment));
        return;
      }
      repo = new RemoteRepo(attachment, sendUnder(attachment), { signer, hangUp, isPersistent });
      const letGo = holdPage(locks, member);
      const unwatchPage = watchPage({
        onHide: () => connection.send({ kind: 'leave' }),
        onShow: () => connection.send({ kind: 'return' }),
      });
      unwatch = () => {
        unwatchPage();
        letGo();
      };
      resolve(repo);
    };

    const connection: Connection = connect(worker, { do: 'open', name, member, did, storage, waitMs }, locks, {
      onMessage(message) {
        switch (message.kind) {
          case 'attached':
            attach(message.attachment);
            break;
          case 'closed':
            connection.close();
            end();
            break;
          case 'done':
            break;
          case 'message':
            repo?.receive(message.message);
            break;
        }
      },
      onEnd(error) {
        repo?.lost(error instanceof RepoError ? error : new RepoError('Closed', 'the worker that had the repository has ended', { cause: error }));
        reject(error as Error);
        end();
      },
    });
  });
