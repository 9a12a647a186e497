/** Notes as records of one collection. Every change is a signed commit, durable once it is answered. */
import type { CID, Repo } from 'pdsdb';
import { isRepoError } from 'pdsdb';
import { createRepo, deleteRepo, openRepo } from 'pdsdb/browser';
import type { Account } from './account.ts';

const COLLECTION = 'com.example.note';

/** The name under which this browser keeps the repository. */
const NAME = 'notes';

/**
 * Says that there have been notes here. It lies apart from them, and so tells their loss from a first visit: what a
 * browser clears when room gets short is not all that it keeps.
 */
const MARK = 'notes.kept';

export interface Note {
  readonly rkey: string;
  /** Names what the note says; `undefined` when it has been deleted. */
  readonly cid: CID | undefined;
  readonly text: string;
  readonly createdAt: string;
  readonly updatedAt: string | undefined;
}

// A function rather than a Worker, so that a page that is left can let go of the files at once.
const worker = (): Worker => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'notes' });

/**
 * The repository of the notes, which all tabs share; made the first time. `undefined` when there was one, and it is
 * gone.
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

/** A new repository with no notes in it, unless another tab was faster. */
export const createNotebook = async (account: Account): Promise<Repo> => (await make(account)).repo;

/**
 * A new repository with the notes of an export of this account. There is none afterwards if anything is wrong with it.
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
 * Has a note say something else; one that was deleted is there again.
 * @throws {RepoError} When another tab was faster: `InvalidSwap` if it says something else, `RecordNotFound` if it is
 *   gone, `RecordExists` if it is there again.
 */
export const changeNote = async (repo: Repo, { rkey, cid, createdAt }: Note, text: string): Promise<void> => {
  const value = { $type: COLLECTION, text, createdAt, updatedAt: new Date().toISOString() };
  const change = { collection: COLLECTION, rkey, value };
  await repo.write([
    cid === undefined ? { action: 'create', ...change } : { action: 'update', ...change, swapRecord: cid },
  ]);
};

/**
 * @throws {RepoError} When another tab was faster: `InvalidSwap` if it says something else, `RecordNotFound` if it is
 * gone.
 */
export const removeNote = async (repo: Repo, { rkey, cid }: Note): Promise<void> => {
  await repo.write([{ action: 'delete', collection: COLLECTION, rkey, swapRecord: cid }]);
};

/** Puts a note back that was removed, as it was. */
export const restoreNote = async (repo: Repo, { rkey, text, createdAt, updatedAt }: Note): Promise<void> => {
  await repo.put(COLLECTION, rkey, {
    $type: COLLECTION,
    text,
    createdAt,
    ...(updatedAt === undefined ? {} : { updatedAt }),
  });
};
