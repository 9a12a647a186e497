/** The repositories that this browser keeps, each under its DID, in a worker of this page. */
import type { Repo } from 'pdsdb';
import type { FolderEntry } from 'pdsdb/browser';
import { createRepo, deleteRepo, exportFolder, importFolder, listRepos, openRepo } from 'pdsdb/browser';

/** Begins the name of a folder whose DID is not known yet. No DID is one. */
const INCOMING = 'incoming-';

let running: Worker | undefined;

const worker = (): Worker => {
  running ??= new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'repositories' });
  return running;
};

/** The DIDs of those that are here, in order. */
export const keptRepos = async (): Promise<readonly string[]> => 
  (await listRepos({ worker: worker() })).map(({ name }) => name).filter((name) => !name.startsWith(INCOMING));

export const openKept = (did: string): Promise<Repo> => openRepo(did, { worker: worker() });

export const createKept = (did: string): Promise<Repo> => createRepo(did, { did, worker: worker() });

export const deleteKept = (did: string): Promise<void> => deleteRepo(did, { worker: worker() });

/** The files of a repository that is not open: `pds.db`, then the blobs. */
export const keptFolder = (did: string): AsyncGenerator<FolderEntry, void, undefined> => exportFolder(did, { worker: worker() });

/**
 * Takes in the folder of a repository, and answers its DID. The database says whose it is, and SQLite reads databases
 * where they are kept: so it is taken in under another name first.
 * @throws {RepoError} `RepoExists` when the repository is here; as `importFolder` does.
 */
export const takeFolder = async (files: Iterable<FolderEntry>): Promise<string> => {
  const name = `${INCOMING}${crypto.randomUUID()}`;
  try {
    const { did } = await importFolder(name, files, { worker: worker() });
    await importFolder(did, exportFolder(name, { worker: worker() }), { worker: worker() });
    return did;
  } finally {
    await deleteRepo(name, { worker: worker() });
  }
};
