/** A lock among all pages and workers of an origin, which the browser releases when its holder is gone. */
import { RepoError } from '../../core/errors.ts';

/** Resolves once the lock is released. */
export type ReleaseLock = () => Promise<void>;

/**
 * Takes a lock, and answers the function that releases it. Where the browser has no locks, answers at once.
 * @throws {RepoError} `Locked` when somebody holds it for longer than `waitMs`.
 */
export const takeWebLock = async (name: string, waitMs: number): Promise<ReleaseLock> => {
  // Not in every browser, and only in secure contexts.
  const locks = navigator.locks as LockManager | undefined;
  if (locks === undefined) {
    return async () => {};
  }
  const release = (await request(locks, name, { ifAvailable: true })) ?? (await waitFor(locks, name, waitMs));
  if (release === undefined) {
    throw new RepoError('Locked', `another tab or worker has the repository open; lock=${name}`);
  }
  return release;
};

const waitFor = async (locks: LockManager, name: string, waitMs: number): Promise<ReleaseLock | undefined> => {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), waitMs);
  try {
    return await request(locks, name, { signal: timeout.signal });
  } catch (error) {
    if (timeout.signal.aborted) {
      return undefined;
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
};

/** The function that releases the lock, or `undefined` when it was not available. */
const request = (locks: LockManager, name: string, options: LockOptions): Promise<ReleaseLock | undefined> =>
  new Promise((resolve, reject) => {
    const ended: Promise<void> = locks.request(name, options, (lock): Promise<void> | undefined => {
      if (lock === null) {
        resolve(undefined);
        return undefined;
      }
      return new Promise<void>((release) => {
        resolve(async () => {
          release();
          // It rejects for one that somebody has stolen, which needs no release.
          await ended.catch(() => undefined);
        });
      });
    });
    ended.catch((cause: unknown) =>
      reject(new RepoError('StorageFailed', `the lock could not be taken; lock=${name}`, { cause })),
    );
  });
