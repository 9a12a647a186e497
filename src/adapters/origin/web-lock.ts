/** A Web Lock: exclusive among all pages and workers of an origin. The browser releases it when its holder ends. */
import { RepoError } from '../../core/errors.ts';

/** Resolves once the lock is released. */
export type ReleaseLock = () => Promise<void>;

/**
 * Takes a lock, and returns the function that releases it. Takes no lock if the browser has no Web Locks.
 * @throws {RepoError} `Locked` if another holder has it for longer than `waitMs` milliseconds.
 */
export const takeWebLock = async (name: string, waitMs: number): Promise<ReleaseLock> => {
  // Missing in insecure contexts and in some browsers.
  const locks = navigator.locks as LockManager | undefined;
  if (locks === undefined) {
    return async () => {};
  }
  const release = (await request(locks, name, { ifAvailable: true })) ?? (await waitFor(locks, name, waitMs));
  if (release === undefined) {
    throw new RepoError(
      'Locked',
      `another tab or worker has the repository open: close it there, or wait with waitMs; lock=${name}`,
    );
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

/** Returns the function that releases the lock, or `undefined` if the lock is not available. */
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
          // Rejects if the lock was stolen, and then needs no release.
          await ended.catch(() => undefined);
        });
      });
    });
    ended.catch((cause: unknown) =>
      reject(new RepoError('StorageFailed', `the browser refused the lock: reload the page; lock=${name}`, { cause })),
    );
  });
