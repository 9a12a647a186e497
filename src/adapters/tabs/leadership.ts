/**
 * Leadership and failover: one of several workers holds a Web Lock and has the files open. The others wait for the
 * lock, and the browser chooses the next leader. A leader that does not reply keeps its lock, because it may resume at
 * any time with the files open.
 */
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { Locks } from '../rpc/locks.ts';
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

export interface LeadershipOptions {
  readonly place: RepoPlace;
  readonly locks: Locks;
  /** Gives the lock back, or ends the wait for it. The repository is closed first. */
  readonly signal: AbortSignal;
  /** Called with the lock, before the files are opened. */
  onTurn(): void;
  /** Called with `true` while the files are being opened; not while another tab has them. */
  onOpening(isOpening: boolean): void;
  /** Opens, or makes, the repository; `undefined` for a failover. */
  open(): Promise<StoredRepo> | undefined;
  /** Serves the repository until this resolves. One that `failed` is opened again. */
  reign(repo: StoredRepo): Promise<LeaderFailure | undefined>;
}

/**
 * Waits for the lock and leads. Resolves when the reign is over, with the files closed.
 * @throws {RepoError} `RepoNotFound` when the browser has cleared the repository away; else as opening does,
 *   `StorageFailed` and `StorageFull` of a failover only when they last.
 */
export const lead = (options: LeadershipOptions): Promise<void> => {
  const { place, locks, signal, onTurn, onOpening, open, reign } = options;
  const holding = async (): Promise<void> => {
    let failure: LeaderFailure | undefined = 'failed';
    while (failure === 'failed' && !signal.aborted) {
      onTurn();
      onOpening(true);
      let repo: StoredRepo | undefined;
      try {
        repo = await (open() ?? failover(place, signal, () => onOpening(false)));
      } finally {
        onOpening(false);
      }
      failure = repo && (await reignOver(repo, reign));
    }
  };
  return locks.request(leaderLock(place.storage, place.name), { signal }, holding);
};

const reignOver = async (repo: StoredRepo, reign: LeadershipOptions['reign']): Promise<LeaderFailure | undefined> => {
  let failure: LeaderFailure | undefined;
  try {
    failure = await reign(repo);
    return failure;
  } finally {
    const closing = repo.close().catch((error: unknown) => {
      // The callers were told what failed: that closing fails as well says no more.
      if (failure === undefined) {
        throw error;
      }
    });
    // Files that the browser has cleared away may never close.
    await (failure === 'cleared' ? undefined : closing);
  }
};

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
