import { mkdir, open, rmdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errnoOf } from './file-error.ts';

/** Systems and file systems that cannot sync a folder say so with one of these. */
const CANNOT_SYNC: readonly (string | undefined)[] = ['EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'];

/** Makes the names in a folder durable, as far as the platform can. */
export const syncFolder = async (path: string): Promise<void> => {
  if (process.platform === 'win32') {
    // A folder cannot be opened there; the file system keeps its own journal of names.
    return;
  }
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!CANNOT_SYNC.includes(errnoOf(error))) {
      throw error;
    }
  }
};

/**
 * Makes a folder, parents included, durably. Returns how to take back what was made: each of these folders as long as
 * it is empty, the innermost first. A folder that somebody else has put something into stays, and those above it.
 */
export const makeFolder = async (directory: string): Promise<() => Promise<void>> => {
  const innermost = resolve(directory);
  const outermost = await mkdir(innermost, { recursive: true });
  const made: string[] = [];
  if (outermost !== undefined) {
    for (let folder = innermost; folder !== dirname(folder); folder = dirname(folder)) {
      made.push(folder);
      if (folder === outermost) {
        break;
      }
    }
  }
  for (const folder of made) {
    await syncFolder(dirname(folder));
  }
  return async () => {
    try {
      for (const folder of made) {
        await rmdir(folder);
      }
    } catch {
      // Something lies there, or somebody was faster: it is not ours, and no loss.
    }
  };
};
