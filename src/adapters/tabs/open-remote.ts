/** A repository of this browser, opened for a page through its worker. */
import { RepoError } from '../../core/errors.ts';
import { readOnlyRepo } from '../../core/repo/read-only.ts';
import type { Validate } from '../../core/repo/record.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import { RemoteRepo } from '../rpc/client.ts';
import type { Connection, WorkerLike } from '../rpc/connection.ts';
import { connect } from '../rpc/connection.ts';
import { fromErrorData } from '../rpc/error-data.ts';
import type { Locks } from '../rpc/locks.ts';
import type { Attachment, FromPage, WantedStorage } from '../rpc/protocol.ts';
import type { Send } from '../rpc/peer.ts';
import { watchPage } from './page-lifecycle.ts';

export interface OpenRemoteOptions {
  readonly name: string;
  readonly did: string | undefined;
  readonly storage: WantedStorage;
  readonly waitMs: number;
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
  { name, did, storage, waitMs, signer, validate, readOnly, locks, isPersistent }: OpenRemoteOptions,
): Promise<Repo> =>
  new Promise((resolve, reject) => {
    let repo: RemoteRepo | undefined;
    let connection: Connection | undefined;
    let release = (): void => {};
    let hungUp = (_: unknown): void => {};
    let unwatch = (): void => {};

    const letGo = (): void => {
      connection?.close();
      connection = undefined;
      release();
    };
    const end = (failure?: unknown): void => {
      unwatch();
      letGo();
      hungUp(failure);
    };
    const tell = (kind: 'close' | 'leave' | 'return'): void =>
      connection?.port.postMessage({ kind } satisfies FromPage);
    const sendUnder =
      ({ generation }: Attachment, to: Connection): Send =>
      (message) =>
        to.port.postMessage({ kind: 'message', generation, message } satisfies FromPage);
    const hangUp = (): Promise<void> =>
      new Promise((done, failed) => {
        hungUp = (failure) => (failure === undefined ? done() : failed(failure as Error));
        if (connection === undefined) {
          end();
        } else {
          tell('close');
        }
      });
    const attach = (attachment: Attachment, to: Connection): void => {
      if (repo !== undefined) {
        repo.moved(attachment, sendUnder(attachment, to));
        return;
      }
      repo = new RemoteRepo(attachment, sendUnder(attachment, to), { signer, validate, hangUp, isPersistent });
      unwatch = watchPage({
        onHide: () => (supply.isFresh ? letGo() : tell('leave')),
        onShow: () => (supply.isFresh ? begin(undefined) : tell('return')),
        needsTime: !supply.isFresh,
      });
      resolve(readOnly ? readOnlyRepo(repo) : repo);
    };

    const begin = (make: string | undefined): void => {
      const taken = supply.take();
      release = taken.release;
      const request = { do: 'open', name, did: make, storage, waitMs } as const;
      const opened: Connection = connect(taken.worker, request, locks, {
        onMessage(message) {
          if (message.kind === 'attached') {
            attach(message.attachment, opened);
          } else if (message.kind === 'message') {
            repo?.peer.receive(message.message);
          } else if (message.kind === 'silent') {
            repo?.peer.giveUp(fromErrorData(message.error));
          } else if (message.kind === 'closed') {
            end();
          }
        },
        onEnd(error, isGone) {
          repo?.lost(
            error instanceof RepoError
              ? error
              : new RepoError('Closed', 'the worker that had the repository has ended', { cause: error }),
          );
          reject(error as Error);
          // A worker that has ended has closed its files, which is all that `close` waits for.
          end(isGone ? undefined : error);
        },
      });
      connection = opened;
    };
    begin(did);
  });
