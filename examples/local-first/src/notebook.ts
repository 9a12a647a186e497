/** Notes as records of one collection. Every change is a signed commit, which is durable when it resolves. */
import type { CID, Repo } from 'pdsdb';
import { isRepoError } from 'pdsdb';
import { createRepo, deleteRepo, openRepo } from 'pdsdb/browser';
import type { Account } from './account.ts';

const COLLECTION = 'com.example.note';

/** The name of the repository in this browser. */
const NAME = 'notes';

/**
 * Marks that notes exist. It is stored separately from them, so it distinguishes lost notes from a first visit: a
 * browser that is short of storage does not clear everything.
 */
const MARK = 'notes.kept';

export interface Note {
  readonly rkey: string;
  /** The CID of the note, or `undefined` if it has been deleted. */
  readonly cid: CID | undefined;
  readonly text: string;
  readonly createdAt: string;
  readonly updatedAt: string | undefined;
}

// A function and not a Worker, so that a hidden page can release the files at once.
const worker = (): Worker => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'notes' });

/**
 * Returns the repository of the notes, which all tabs share, and creates it at the first visit. Returns `undefined` if
 * it was lost.
 */
export const openNotebook = async (account: Account): Promise<Repo | undefined> => {
  try {
    const repo = await openRepo(NAME, { worker, signer: account.key });
    localStorage.setItem(MARK, repo.did);
    return repo;
  } catch (error) {
    if (!isRepoError(error, 'RepoNotFound')) {
      throw error;
    }
  }
  return localStorage.getItem(MARK) === null ? createNotebook(account) : undefined;
};

const make = async ({ did, key }: Account): Promise<{ readonly repo: Repo; readonly isNew: boolean }> => {
  try {
    const repo = await createRepo(NAME, { did, worker, signer: key });
    localStorage.setItem(MARK, did);
    return { repo, isNew: true };
  } catch (error) {
    // Another tab was faster.
    if (!isRepoError(error, 'RepoExists')) {
      throw error;
    }
    return { repo: await openRepo(NAME, { worker, signer: key }), isNew: false };
  }
};

/** Creates an empty repository, unless another tab was faster. */
export const createNotebook = async (account: Account): Promise<Repo> => (await make(account)).repo;

/**
 * Creates a repository from an export of this account. If the export has a fault, no repository is left.
 */
export const restoreNotebook = async (account: Account, file: Blob): Promise<Repo> => {
  const { repo, isNew } = await make(account);
  try {
    await repo.importCar(file, { key: account.did });
    return repo;
  } catch (error) {
    await repo.close();
    if (isNew) {
      await deleteRepo(NAME, { worker });
    }
    throw error;
  }
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** All notes, newest first: their keys are times. */
export const readNotes = async (repo: Repo): Promise<readonly Note[]> => {
  const notes: Note[] = [];
  for await (const { rkey, cid, value } of repo.list(COLLECTION, { reverse: true })) {
    const { text, createdAt, updatedAt } = value;
    notes.push({
      rkey,
      cid,
      text: textOf(text),
      createdAt: textOf(createdAt),
      updatedAt: typeof updatedAt === 'string' ? updatedAt : undefined,
    });
  }
  return notes;
};

export const addNote = async (repo: Repo, text: string): Promise<void> => {
  await repo.write([
    {
      action: 'create',
      collection: COLLECTION,
      value: { $type: COLLECTION, text, createdAt: new Date().toISOString() },
    },
  ]);
};

/**
 * Changes the text of a note. A deleted note is created again.
 * @throws {RepoError} If another tab was faster: `InvalidSwap` if it changed the note, `RecordNotFound` if it
 *   deleted it, `RecordExists` if it restored it.
 */
export const changeNote = async (repo: Repo, { rkey, cid, createdAt }: Note, text: string): Promise<void> => {
  const value = { $type: COLLECTION, text, createdAt, updatedAt: new Date().toISOString() };
  const change = { collection: COLLECTION, rkey, value };
  await repo.write([
    cid === undefined ? { action: 'create', ...change } : { action: 'update', ...change, swapRecord: cid },
  ]);
};

/**
 * @throws {RepoError} If another tab was faster: `InvalidSwap` if it changed the note, `RecordNotFound` if it
 * lost.
 */
export const removeNote = async (repo: Repo, { rkey, cid }: Note): Promise<void> => {
  await repo.write([{ action: 'delete', collection: COLLECTION, rkey, swapRecord: cid }]);
};

/** Restores a deleted note unchanged. */
export const restoreNote = async (repo: Repo, { rkey, text, createdAt, updatedAt }: Note): Promise<void> => {
  await repo.put(COLLECTION, rkey, {
    $type: COLLECTION,
    text,
    createdAt,
    ...(updatedAt === undefined ? {} : { updatedAt }),
  });
};
