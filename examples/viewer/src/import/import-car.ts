/** Imports a CAR file into the repository of its account, which is created if it is missing. */
import type { ImportResult, Progress, Repo } from 'pdsdb';
import { didOfCar, isRepoError } from 'pdsdb';
import { noteEnded, noteMade, whileItComesIn } from './temporary-repos.ts';
import { createKept, deleteKept, openKept } from '../repos.ts';

export interface Imported {
  readonly did: string;
  readonly result: ImportResult;
}

export interface ImportCarOptions {
  readonly signal: AbortSignal;
  /** Called once the account is known. */
  readonly onDid: (did: string) => void;
  readonly onProgress: (progress: Progress) => void;
}

/** Opens a repository, or creates it for what comes in. Call it within `whileItComesIn`. */
export const openOrCreate = async (did: string): Promise<{ repo: Repo; isNew: boolean }> => {
  try {
    return { repo: await openKept(did), isNew: false };
  } catch (error) {
    if (!isRepoError(error, 'RepoNotFound')) {
      throw error;
    }
    noteMade(did);
    return { repo: await createKept(did), isNew: true };
  }
};

const importInto = async (did: string, file: Blob, { signal, onProgress }: ImportCarOptions): Promise<ImportResult> => {
  const { repo, isNew } = await openOrCreate(did);
  let result: ImportResult | undefined;
  try {
    signal.throwIfAborted();
    result = await repo.importCar(file, { allowUnsigned: true, onProgress, signal });
    return result;
  } finally {
    await repo.close();
    if (result === undefined && isNew) {
      await deleteKept(did);
    }
    noteEnded(did);
  }
};

/**
 * Imports a CAR file. If it has a fault, or the signal is aborted, nothing changes.
 * Records that are not valid in the data model are imported and reported.
 */
export const importCarFile = async (file: Blob, options: ImportCarOptions): Promise<Imported> => {
  const did = await didOfCar(file, { signal: options.signal });
  options.onDid(did);
  return { did, result: await whileItComesIn(did, () => importInto(did, file, options), options.signal) };
};
