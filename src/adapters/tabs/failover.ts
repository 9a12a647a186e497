/** Opening a repository that was open until a moment ago: elsewhere, or here until its storage failed. */
import { isRepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { RepoPlace } from './repo-place.ts';

/** A storage that fails may be of use again in a moment: so often it is tried, with pauses between. */
const MOST_FAILURES = 5;
const PAUSE_MS = 500;

export interface TakeOverOptions {
  /** Asked before each attempt. */
  isWanted(): boolean;
  /** Called each time that somebody else was found to hold the files. */
  onLocked(): void;
}

/**
 * Opens it, and waits for as long as the files are held: whoever had the lead has let go of it, and is about to let go
 * of these, or is frozen over it. `undefined` when it is not wanted any more.
 * @throws {RepoError} as opening does; `StorageFailed` and `StorageFull` only when they last.
 */
export const takeOver = async (
  place: RepoPlace,
  { isWanted, onLocked }: TakeOverOptions,
): Promise<Repo | undefined> => {
  let failures = 0;
  while (isWanted()) {
    try {
      return await place.open(undefined);
    } catch (error) {
      if (isRepoError(error, 'Locked')) {
        // Each attempt has its own patience.
        onLocked();
        continue;
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
