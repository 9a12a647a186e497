/**
 * Reads of records as stored bytes, without decoding. A repository in a worker returns them to a page, which decodes
 * them.
 */
import type { Branch } from './branch.ts';
import type { CID } from '../data/cid.ts';
import type { FoundRecord, ListOptions, RecordEntry, RecordValue, Repo, Tree } from './repo.ts';

export type StoredRecord = Omit<FoundRecord, 'value'>;
export type StoredEntry = Omit<RecordEntry, 'value'>;

export interface StoredReads {
  /** As `get`, without the value. Also returns a record that breaks the data model. */
  getStored(collection: string, rkey: string): Promise<StoredRecord | undefined>;
}

export interface StoredTree extends Tree, StoredReads {
  /** As `list`, without the values. */
  listStored(collection?: string, options?: ListOptions): AsyncIterable<StoredEntry>;
  put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<StoredTree>;
  delete(collection: string, rkey: string): Promise<StoredTree>;
  /** Makes `gc` keep the checked-out commit until the returned function is called. */
  pin(): Promise<() => void>;
}

export interface StoredBranch extends Branch, StoredReads {}

/** A repository in this thread. */
export interface StoredRepo extends Repo, StoredReads {
  branch(name: string): StoredBranch;
  checkout(at?: string | CID): Promise<StoredTree>;
  /** Returns the tree of the head, or of a branch, and makes `gc` keep its commit until `release` is called. */
  checkoutPinned(branch?: string): Promise<{ readonly tree: StoredTree; readonly release: () => void }>;
}
