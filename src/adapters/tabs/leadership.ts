/**
 * Leadership and failover: one of several workers holds a Web Lock and has the files open. The others wait for the
 * lock, and the browser chooses the next leader. A leader that does not reply keeps its lock, because it may resume at
 * any time with the files open.
 */
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { Locks } from '../origin/locks.ts';
import { leaderLock } from '../rpc/protocol.ts';
import type { RepoPlace } from './repo-place.ts';

/** A storage that fails may work again in a moment. This is the number of attempts, and the pause between two. */
const MAX_ATTEMPTS = 5;
const PAUSE_MS = 500;

/**
 * The end of a leader: its storage has `failed`, and works again once it is closed and opened; or the browser has
 * `cleared` the repository away.
 */
export type LeaderFailure = 'cleared' | 'failed';

/** The error of a repository that was open, and is stored no more. */
export const clearedError = (name: string, cause?: unknown): RepoError =>
  new RepoError(
    'RepoNotFound',
    'the repository is missing: the browser has cleared the data of this site while it was open. Make it again with ' +
      `createRepo, or bring a copy back; name=${name}`,
    { cause },
  );

export interface Leading {
  /** Called with `true` while the files are being opened; not while another tab has them. */
  onOpening(isOpening: boolean): void;
  /** Opens, or makes, the repository; `undefined` for a failover. */
  open(): Promise<StoredRepo> | undefined;
  /** Serves the repository until this resolves, and closes it. One that `failed` is opened again. */
  reign(repo: StoredRepo): Promise<LeaderFailure | undefined>;
}

/**
 * Waits for the lock and leads. Resolves when the reign is over, with the files closed.
 * @param signal Ends the wait for the lock, and attempts to open the files.
 * @throws {RepoError} `RepoNotFound` when the browser has cleared the repository away; else as opening does,
 *   `StorageFailed` and `StorageFull` of a failover only when they last.
 */
export const lead = (
  place: RepoPlace,
  locks: Locks,
  signal: AbortSignal,
  { onOpening, open, reign }: Leading,
): Promise<void> =>
  locks.request(leaderLock(place.storage, place.name), { signal }, async () => {
    let failure: LeaderFailure | undefined = 'failed';
    while (failure === 'failed' && !signal.aborted) {
      onOpening(true);
      let repo: StoredRepo | undefined;
      try {
        repo = await (open() ?? failover(place, signal, () => onOpening(false)));
      } finally {
        onOpening(false);
      }
      failure = repo && (await reign(repo));
    }
  });

/** Opens a repository that a leader, which may be this tab, had open until now. `undefined` when `signal` aborts. */
const failover = async (
  place: RepoPlace,
  signal: AbortSignal,
  onLocked: () => void,
): Promise<StoredRepo | undefined> => {
  let failures = 0;
  while (!signal.aborted) {
    try {
      return await place.open(undefined);
    } catch (error) {
      if (isRepoError(error, 'Locked')) {
        // The last leader closes the files soon, or is frozen. Each attempt has its own timeout.
        onLocked();
        continue;
      }
      if (isRepoError(error, 'RepoNotFound')) {
        throw clearedError(place.name, error);
      }
      failures += 1;
      const mayPass = isRepoError(error, 'StorageFailed') || isRepoError(error, 'StorageFull');
      if (!mayPass || failures === MAX_ATTEMPTS) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return undefined;
};
