/**
 * Deletes what an import leaves if its tab is closed: for a folder, a copy under a temporary name; for a
 * CAR, an empty repository, which would look like an account without records.
 */
import { isRepoError } from 'pdsdb';
import { deleteKept, keptNames, openKept } from '../repos.ts';

/** The prefix of temporary names, for a folder whose DID is not known yet. It is not a valid DID. */
export const INCOMING = 'incoming-';

/** The prefix of the keys that record the repositories of running imports. */
const MADE = 'viewer.madeFor.';

const lockOf = (name: string): string => `viewer.incoming.${name}`;

/**
 * Runs an import into a repository of this name, which other tabs do not delete meanwhile. Imports run one at a time;
 * others wait.
 */
export const whileItComesIn = async <T>(name: string, run: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
  navigator.locks.request(lockOf(name), signal === undefined ? {} : { signal }, run);

/** Records that a repository will be created for an import. */
export const noteMade = (did: string): void => localStorage.setItem(MADE + did, '');

/** Records that the import has ended. */
export const noteEnded = (did: string): void => localStorage.removeItem(MADE + did);

const isEmpty = async (did: string): Promise<boolean> => {
  try {
    const repo = await openKept(did);
    const head = await repo.head();
    await repo.close();
    return head === undefined;
  } catch (error) {
    if (isRepoError(error, 'RepoNotFound')) {
      return false;
    }
    throw error;
  }
};

/** The worker of a closed page may have its files open for a moment. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 200;

/** Deletes a repository that another page is about to close. */
export const deleteWhenFree = async (name: string): Promise<void> => {
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    try {
      await deleteKept(name);
      return;
    } catch (error) {
      if (!isRepoError(error, 'Locked') || Date.now() > end) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
};

/** Runs it unless an import of this name is running in any tab. */
const unlessItComesIn = (name: string, run: () => Promise<void>): Promise<void> =>
  navigator.locks.request(lockOf(name), { ifAvailable: true }, async (lock) => (lock === null ? undefined : run()));

/** Deletes the repositories of imports whose tabs were closed. */
export const deleteTemporaryRepos = async (): Promise<void> => {
  for (const name of (await keptNames()).filter((kept) => kept.startsWith(INCOMING))) {
    await unlessItComesIn(name, () => deleteWhenFree(name));
  }
  const made = Object.keys(localStorage).filter((key) => key.startsWith(MADE));
  for (const did of made.map((key) => key.slice(MADE.length))) {
    await unlessItComesIn(did, async () => {
      if (await isEmpty(did)) {
        await deleteWhenFree(did);
      }
      noteEnded(did);
    });
  }
};
