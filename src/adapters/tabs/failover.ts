/** Failover: opens a repository that another tab, or this tab before its storage failed, had open until now. */
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { RepoPlace } from './repo-place.ts';

/** A storage that fails may be of use again in a moment: so often it is tried, with pauses between. */
const MOST_FAILURES = 5;
const PAUSE_MS = 500;

/** The error of a repository that was open, and is stored no more. */
export const clearedError = (name: string, cause?: unknown): RepoError =>
  new RepoError(
    'RepoNotFound',
    'the repository is gone: the browser has cleared the data of this site while it was open. Make it again with ' +
      `createRepo, or bring a copy back; name=${name}`,
    { cause },
  );

export interface FailoverOptions {
  /** Asked before each attempt. */
  isWanted(): boolean;
  /** Called each time that somebody else was found to hold the files. */
  onLocked(): void;
}

/**
 * Opens the repository. Waits while another tab holds the files: the last leader closes them soon, or is frozen.
 * Returns `undefined` when `isWanted` returns false.
 * @throws {RepoError} `RepoNotFound` when the browser has cleared it away; else as opening does, `StorageFailed` and
 *   `StorageFull` only when they last.
 */
export const failover = async (
  place: RepoPlace,
  { isWanted, onLocked }: FailoverOptions,
): Promise<StoredRepo | undefined> => {
  let failures = 0;
  while (isWanted()) {
    try {
      return await place.open(undefined);
    } catch (error) {
      if (isRepoError(error, 'Locked')) {
        // Each attempt has its own timeout.
        onLocked();
        continue;
      }
      if (isRepoError(error, 'RepoNotFound')) {
        throw clearedError(place.name, error);
      }
      failures += 1;
      const mayPass = isRepoError(error, 'StorageFailed') || isRepoError(error, 'StorageFull');
      if (!mayPass || failures === MOST_FAILURES) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return undefined;
};
