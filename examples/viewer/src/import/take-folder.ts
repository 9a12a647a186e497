/** Imports the folder of a repository. */
import type { FolderEntry } from 'pdsdb/browser';
import { INCOMING, whileItComesIn } from './temporary-repos.ts';
import { deleteKept, keepFolder, keptFolder } from '../repos.ts';

/**
 * Imports the folder of a repository, and returns its DID. The database has the DID, but SQLite can only read a
 * database that is stored, so the folder is first imported under a temporary name.
 * @throws {RepoError} `RepoExists` if the repository exists; the codes of `importFolder`.
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
