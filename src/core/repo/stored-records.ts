/**
 * Reads of records as stored bytes, without decoding. A repository in a worker returns them to a page, which decodes
 * them.
 */
import type { Bytes } from '../data/bytes.ts';
import type { CID } from '../data/cid.ts';
import type { FoundRecord, ListOptions, RecordEntry, Repo, Tree } from './repo.ts';

export type StoredRecord = Omit<FoundRecord, 'value'>;
export type StoredEntry = Omit<RecordEntry, 'value'>;

export interface StoredReads {
  /** As `get`, without the value. Also returns a record that breaks the data model. */
  getStored(collection: string, rkey: string): Promise<StoredRecord | undefined>;
  /** As `getMany`, without the values. */
  getManyStored(paths: readonly string[]): Promise<(StoredRecord | undefined)[]>;
}

/** One edit of a tree; without bytes, a deletion. */
export interface TreeEdit {
  readonly collection: string;
  readonly rkey: string;
  readonly value: Bytes | undefined;
}

/** A commit with edits, at most one per key. `base` is `undefined` for the tree before the first commit. */
export interface EditedCommit {
  readonly base: CID | undefined;
  readonly edits: readonly TreeEdit[];
}

/** An edited commit, the state that a branch shows, or the head. */
export type NamedState = EditedCommit | { readonly branch: string } | undefined;

export interface StoredTree extends Tree, StoredReads {
  /** As `list`, without the values. */
  listStored(collection?: string, options?: ListOptions): AsyncIterable<StoredEntry>;
  /** Returns the tree after the edits, which are made together. */
  edit(edits: readonly TreeEdit[]): Promise<StoredTree>;
}

/** A repository in this thread. */
export interface StoredRepo extends Repo, StoredReads {
  checkout(at?: string | CID): Promise<StoredTree>;
  /**
   * Returns the tree of a state, and makes `gc` keep its commit until `release` is called.
   * @throws {RepoError} `BlockNotFound` when the commit was removed since the state was named; `InvalidSwap` for the
   *   tree before the first commit, when there is a commit.
   */
  checkoutPinned(state: NamedState): Promise<{ readonly tree: StoredTree; readonly release: () => void }>;
}
