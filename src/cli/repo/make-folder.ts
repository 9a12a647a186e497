import { mkdir, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, parents included, and answers how to take back what was made: each of these folders as long as
 * nothing lies in it, the innermost first. What somebody else has put there stays, and with it the folders above.
 */
export const makeFolder = async (directory: string): Promise<() => Promise<void>> => {
  const outermost = await mkdir(directory, { recursive: true });
  return async () => {
    if (outermost === undefined) {
      return;
    }
    try {
      for (let folder = directory; ; folder = dirname(folder)) {
        await rmdir(folder);
        if (folder === outermost) {
          return;
        }
      }
    } catch {
      // Something lies there, or somebody was faster: it is not ours, and no loss.
    }
  };
};
