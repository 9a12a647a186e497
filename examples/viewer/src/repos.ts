/** The repositories that this browser keeps, each under its DID, in workers of this page. */
import type { Repo } from 'pdsdb';
import type { FolderEntry, FolderImport } from 'pdsdb/browser';
import { createRepo, deleteRepo, exportFolder, importFolder, listRepos, openRepo } from 'pdsdb/browser';

// A function rather than a Worker, so that a page that is left can let go of the files at once.
const worker = (): Worker =>
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'repositories' });

/** The names of those that are here, in order: DIDs, and what `takeFolder` uses meanwhile. */
export const keptNames = async (): Promise<readonly string[]> => (await listRepos({ worker })).map(({ name }) => name);

export const openKept = (did: string): Promise<Repo> => openRepo(did, { worker });

export const createKept = (did: string): Promise<Repo> => createRepo(did, { did, worker });

/** One that is not there is no error. */
export const deleteKept = (name: string): Promise<void> => deleteRepo(name, { worker });

/** The files of a repository that is not open: `pds.db`, then the blobs. */
export const keptFolder = (name: string): AsyncGenerator<FolderEntry, void, undefined> =>
  exportFolder(name, { worker });

export const keepFolder = (
  name: string,
  files: AsyncIterable<FolderEntry> | Iterable<FolderEntry>,
): Promise<FolderImport> => importFolder(name, files, { worker });
