/** Takes back what a failed import has made. */
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BLOBS_ROOT, FILE_NAMES } from '../../core/storage/layout.ts';

/**
 * Removes a repository without blobs that this process has open, and therefore owns: no other process can add to it or
 * open it before it is removed. Other files in the folder stay. Closing the repository removes the lock.
 */
export const removeRepo = async (directory: string): Promise<void> => {
  for (const name of FILE_NAMES) {
    await rm(join(directory, name), { force: true });
  }
  await rmdir(join(directory, BLOBS_ROOT));
};
