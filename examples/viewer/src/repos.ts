/** The repositories of this browser, each with its DID as name, in workers of this page. */
import type { Repo } from 'pdsdb';
import type { FolderEntry, FolderImport } from 'pdsdb/browser';
import { createRepo, deleteRepo, exportFolder, importFolder, listRepos, openRepo } from 'pdsdb/browser';

// A function and not a Worker, so that a hidden page can release the files at once.
const worker = (): Worker =>
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'repositories' });

/** Returns the sorted names of the stored repositories: DIDs, and temporary names of `takeFolder`. */
export const keptNames = async (): Promise<readonly string[]> => (await listRepos({ worker })).map(({ name }) => name);

export const openKept = (did: string): Promise<Repo> => openRepo(did, { worker });

export const createKept = (did: string): Promise<Repo> => createRepo(did, { did, worker });

/** Does nothing if it is missing. */
export const deleteKept = (name: string): Promise<void> => deleteRepo(name, { worker });

/** Yields the files of a closed repository: `pds.db`, then the blobs. */
export const keptFolder = (name: string): AsyncGenerator<FolderEntry, void, undefined> =>
  exportFolder(name, { worker });

export const keepFolder = (
  name: string,
  files: AsyncIterable<FolderEntry> | Iterable<FolderEntry>,
): Promise<FolderImport> => importFolder(name, files, { worker });
