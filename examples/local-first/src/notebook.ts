/** Notes as records of one collection. Every change is a signed commit, durable once it is answered. */
import type { Repo } from 'pdsdb';
import { isRepoError } from 'pdsdb';
import { createRepo, openRepo } from 'pdsdb/browser';
import type { Account } from './account.ts';

const COLLECTION = 'com.example.note';

/** The name under which this browser keeps the repository. */
const NAME = 'notes';

export interface Note {
  readonly rkey: string;
  readonly text: string;
  readonly createdAt: string;
  readonly updatedAt: string | undefined;
}

/** The repository of the notes, made the first time. All tabs share it. */
export const openNotebook = async ({ did, key }: Account): Promise<Repo> => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'notes' });
  try {
    return await openRepo(NAME, { worker, signer: key });
  } catch (error) {
    if (!isRepoError(error, 'RepoNotFound')) {
      throw error;
    }
  }
  try {
    return await createRepo(NAME, { did, worker, signer: key });
  } catch (error) {
    // Another tab was faster.
    if (!isRepoError(error, 'RepoExists')) {
      throw error;
    }
    return openRepo(NAME, { worker, signer: key });
  }
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** All notes, newest first: their keys are times. */
export const readNotes = async (repo: Repo): Promise<readonly Note[]> => {
  const notes: Note[] = [];
  for await (const { rkey, value } of repo.list(COLLECTION, { reverse: true })) {
    const { text, createdAt, updatedAt } = value;
    notes.push({ rkey, text: textOf(text), createdAt: textOf(createdAt), updatedAt: typeof updatedAt === 'string' ? updatedAt : undefined });
  }
  return notes;
};

export const addNote = async (repo: Repo, text: string): Promise<void> => {
  await repo.write([{ action: 'create', collection: COLLECTION, value: { $type: COLLECTION, text, createdAt: new Date().toISOString() } }]);
};

/** @throws {RepoError} `RecordNotFound` when another tab has deleted it meanwhile. */
export const changeNote = async (repo: Repo, { rkey, createdAt }: Note, text: string): Promise<void> => {
  const value = { $type: COLLECTION, text, createdAt, updatedAt: new Date().toISOString() };
  await repo.write([{ action: 'update', collection: COLLECTION, rkey, value }]);
};

export const removeNote = async (repo: Repo, { rkey }: Note): Promise<void> => {
  await repo.delete(COLLECTION, rkey);
};

/** Puts a note back that was removed, as it was. */
export const restoreNote = async (repo: Repo, { rkey, text, createdAt, updatedAt }: Note): Promise<void> => {
  await repo.put(COLLECTION, rkey, { $type: COLLECTION, text, createdAt, ...(updatedAt === undefined ? {} : { updatedAt }) });
};
