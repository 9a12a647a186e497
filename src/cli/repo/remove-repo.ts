/** Removes the repository of a failed import. */
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BLOBS_ROOT, FILE_NAMES } from '../../core/storage/layout.ts';

/**
 * Removes a repository without blobs. This process must have it open, so that no other process can open it or add to
 * it. Other files in the folder stay. Closing the repository removes the lock.
 */
export const removeRepo = async (directory: string): Promise<void> => {
  for (const name of FILE_NAMES) {
    await rm(join(directory, name), { force: true });
  }
  await rmdir(join(directory, BLOBS_ROOT));
};
