/** Notes, wherever they are kept: in a repository of this browser, or in the copy of an account. */
import type { CID, Repo } from 'pdsdb';

/** Each note is a record of this collection. */
export const COLLECTION = 'com.example.note';

/** What this device and the server made of a note that both have changed. `undefined`: deleted. */
export interface Conflict {
  readonly mine: string | undefined;
  readonly theirs: string | undefined;
}

export interface Note {
  readonly rkey: string;
  /** The CID of the note, or `undefined` if it has been deleted. */
  readonly cid: CID | undefined;
  readonly text: string;
  readonly createdAt: string;
  readonly updatedAt: string | undefined;
  /** The account's server does not have the note as it is shown. */
  readonly isPending: boolean;
  readonly conflict: Conflict | undefined;
  /** Why the account's server refused the note. */
  readonly refusal: string | undefined;
  /** The record, which may have fields that this app does not know. */
  readonly value: Readonly<Record<string, unknown>>;
}

export interface Notebook {
  /** The repository in this browser. */
  readonly repo: Repo;
  /** All notes, newest first: their keys are times. */
  read(): Promise<readonly Note[]>;
  add(text: string): Promise<void>;
  /**
   * Changes the text of a note. A deleted note is created again.
   * @throws {RepoError} If another tab was faster: `InvalidSwap` if it changed the note, `RecordNotFound` if it
   *   deleted it, `RecordExists` if it restored it.
   */
  change(note: Note, text: string): Promise<void>;
  /** @throws {RepoError} If another tab was faster: `InvalidSwap` or `RecordNotFound`. */
  remove(note: Note): Promise<void>;
  /** Restores a deleted note unchanged. */
  restore(note: Note): Promise<void>;
  /** Calls `listener` after changes of any tab. Returns a function that removes it. */
  onChange(listener: () => void): () => void;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Returns the note in a record. */
export const noteOf = (
  { rkey, cid, value }: Pick<Note, 'cid' | 'rkey' | 'value'>,
  state: Partial<Pick<Note, 'conflict' | 'isPending' | 'refusal'>> = {},
): Note => ({
  rkey,
  cid,
  value,
  text: textOf(value['text']),
  createdAt: textOf(value['createdAt']),
  updatedAt: typeof value['updatedAt'] === 'string' ? value['updatedAt'] : undefined,
  isPending: state.isPending ?? false,
  conflict: state.conflict,
  refusal: state.refusal,
});

const now = (): string => new Date().toISOString();

export const newRecord = (text: string): Note['value'] => ({ $type: COLLECTION, text, createdAt: now() });

export const changedRecord = ({ value }: Note, text: string): Note['value'] => ({
  ...value,
  $type: COLLECTION,
  text,
  updatedAt: now(),
});
