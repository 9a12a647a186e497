/** Takes the folder of a repository in. */
import type { FolderEntry } from 'pdsdb/browser';
import { INCOMING, whileItComesIn } from './temporary-repos.ts';
import { deleteKept, keepFolder, keptFolder } from './repos.ts';

/**
 * Takes in the folder of a repository, and answers its DID. The database says whose it is, and SQLite reads databases
 * where they are kept: so it is taken in under another name first.
 * @throws {RepoError} `RepoExists` when the repository is here; as `importFolder` does.
 */
export const takeFolder = (files: Iterable<FolderEntry>): Promise<string> => {
  const name = `${INCOMING}${crypto.randomUUID()}`;
  return whileItComesIn(name, async () => {
    try {
      const { did } = await keepFolder(name, files);
      await keepFolder(did, keptFolder(name));
      return did;
    } finally {
      await deleteKept(name);
    }
  });
};
