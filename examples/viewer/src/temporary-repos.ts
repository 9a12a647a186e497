/**
 * What an import leaves when its tab is closed in the middle of it: of a folder, a copy under a name of its own; of a
 * CAR, an empty repository, which would look as if the account had no records.
 */
import { isRepoError } from 'pdsdb';
import { deleteKept, keptNames, openKept } from './repos.ts';

/** Begins the name of a folder whose DID is not known yet. No DID is one. */
export const INCOMING = 'incoming-';

/** Begins the keys under which it is written down which repositories are made for an import. */
const MADE = 'viewer.madeFor.';

const lockOf = (name: string): string => `viewer.incoming.${name}`;

/**
 * Runs an import into a repository of this name, which nobody takes for a leftover meanwhile. One at a time: others
 * wait.
 */
export const whileItComesIn = async <T>(name: string, run: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
  navigator.locks.request(lockOf(name), signal === undefined ? {} : { signal }, run);

/** Says that a repository is about to be made for an import; it is one of those that may be left. */
export const noteMade = (did: string): void => localStorage.setItem(MADE + did, '');

/** Says that the import has ended, whichever way. */
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

/** The worker of a page that is gone may have its files a moment longer. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 200;

/** Deletes a repository that another page is about to let go of. */
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

/** Runs it unless an import of this name is under way, in whichever tab. */
const unlessItComesIn = (name: string, run: () => Promise<void>): Promise<void> =>
  navigator.locks.request(lockOf(name), { ifAvailable: true }, async (lock) => (lock === null ? undefined : run()));

/** Takes away what the imports of tabs that are gone have left. */
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
