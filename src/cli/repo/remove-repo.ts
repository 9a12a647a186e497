import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What a repository without blobs consists of, beside its lock, which goes when it is closed. */
const FILES = ['pds.db', 'pds.db-journal', 'pds.db-wal'] as const;

/**
 * Removes a repository without blobs that this process has open, and therefore owns: nobody else can have put anything
 * into it, or open it before it is gone. Whatever else lies in the folder stays.
 */
export const removeRepo = async (directory: string): Promise<void> => {
  for (const name of FILES) {
    await rm(join(directory, name), { force: true });
  }
  await rmdir(join(directory, 'blobs'));
};
