import { mkdir, open, rmdir, stat } from 'node:fs/promises';
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

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );

/**
 * Makes a folder, parents included, durably. Returns how to take back what was made: each of these folders as long as
 * it is empty, the innermost first. A folder that somebody else has put something into stays, and those above it.
 *
 * Step by step, since Node's `recursive` never ends where the system allows no folder at all, as in `/proc`.
 */
export const makeFolder = async (directory: string): Promise<() => Promise<void>> => {
  const made: string[] = [];
  const make = async (path: string): Promise<void> => {
    try {
      await mkdir(path);
    } catch (error) {
      if (await isFolder(path)) {
        return;
      }
      const above = dirname(path);
      if (errnoOf(error) !== 'ENOENT' || (await isFolder(above))) {
        throw error;
      }
      await make(above);
      await mkdir(path);
    }
    made.unshift(path);
    await syncFolder(dirname(path));
  };
  const takeBack = async (): Promise<void> => {
    try {
      for (const path of made) {
        await rmdir(path);
      }
    } catch {
      // Something lies there, or somebody was faster: it is not ours, and no loss.
    }
  };
  try {
    await make(resolve(directory));
  } catch (error) {
    await takeBack();
    throw error;
  }
  return takeBack;
};
