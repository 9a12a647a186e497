/** The notes of this browser. Every change is a signed commit, which is durable when it resolves. */
import type { Repo } from 'pdsdb';
import { isRepoError } from 'pdsdb';
import { createRepo, deleteRepo, openRepo } from 'pdsdb/browser';
import type { Account } from './account.ts';
import type { Note, Notebook } from './notebook.ts';
import { changedRecord, COLLECTION, newRecord, noteOf } from './notebook.ts';
import { worker } from './repo-worker.ts';

/** The name of the repository in this browser. */
const NAME = 'notes';

/**
 * Marks that notes exist. It is stored separately from them, so it distinguishes lost notes from a first visit: a
 * browser that is short of storage does not clear everything.
 */
const MARK = 'notes.kept';

export class LocalNotebook implements Notebook {
  readonly repo: Repo;

  constructor(repo: Repo) {
    this.repo = repo;
  }

  async read(): Promise<readonly Note[]> {
    const notes: Note[] = [];
    for await (const record of this.repo.list(COLLECTION, { reverse: true })) {
      notes.push(noteOf(record));
    }
    return notes;
  }

  async add(text: string): Promise<void> {
    await this.repo.write([{ action: 'create', collection: COLLECTION, value: newRecord(text) }]);
  }

  async change(note: Note, text: string): Promise<void> {
    const { rkey, cid } = note;
    const change = { collection: COLLECTION, rkey, value: changedRecord(note, text) };
    await this.repo.write([
      cid === undefined ? { action: 'create', ...change } : { action: 'update', ...change, swapRecord: cid },
    ]);
  }

  async remove({ rkey, cid }: Note): Promise<void> {
    await this.repo.write([{ action: 'delete', collection: COLLECTION, rkey, swapRecord: cid }]);
  }

  async restore({ rkey, value }: Note): Promise<void> {
    await this.repo.put(COLLECTION, rkey, value);
  }

  onChange(listener: () => void): () => void {
    return this.repo.onChange(listener);
  }
}

/**
 * Returns the notebook of this browser, which all tabs share, and creates it at the first visit. Returns `undefined`
 * if it was lost.
 */
export const openNotebook = async (account: Account): Promise<LocalNotebook | undefined> => {
  try {
    const repo = await openRepo(NAME, { worker, signer: account.key });
    localStorage.setItem(MARK, repo.did);
    return new LocalNotebook(repo);
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

/** Creates an empty notebook, unless another tab was faster. */
export const createNotebook = async (account: Account): Promise<LocalNotebook> =>
  new LocalNotebook((await make(account)).repo);

/**
 * Creates a notebook from an export of this account. If the export has a fault, no repository is left.
 */
export const restoreNotebook = async (account: Account, file: Blob): Promise<LocalNotebook> => {
  const { repo, isNew } = await make(account);
  try {
    await repo.importCar(file, { key: account.did });
    return new LocalNotebook(repo);
  } catch (error) {
    await repo.close();
    if (isNew) {
      await deleteRepo(NAME, { worker });
    }
    throw error;
  }
};

/** Returns the notes of this browser, for a page that shows an account. Returns none if there is no notebook. */
export const readLocalNotes = async (): Promise<readonly Note[]> => {
  if (localStorage.getItem(MARK) === null) {
    return [];
  }
  try {
    await using repo = await openRepo(NAME, { worker, readOnly: true });
    return await new LocalNotebook(repo).read();
  } catch (error) {
    if (isRepoError(error, 'RepoNotFound')) {
      return [];
    }
    throw error;
  }
};
