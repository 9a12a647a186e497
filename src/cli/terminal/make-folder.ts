import { mkdir, open, rmdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errnoOf } from './file-error.ts';

/** The codes of systems and file systems that cannot sync a folder. */
const CANNOT_SYNC: readonly (string | undefined)[] = ['EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'];

/** Makes the names in a folder durable, as far as the platform can. */
export const syncFolder = async (path: string): Promise<void> => {
  if (process.platform === 'win32') {
    // Windows cannot open a folder. Its file system has a journal for names.
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
 * Creates a folder with its parents, durably. Returns a function that removes the created folders, innermost first, up
 * to the first one that is not empty.
 *
 * Step by step, because Node's `recursive` never ends where no folder can be created, as in `/proc`.
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
      // Another program has put something into the folder, or has removed it.
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
