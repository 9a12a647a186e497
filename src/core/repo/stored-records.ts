/**
 * Records as they are stored: their bytes, which nobody has decoded. A repository in this thread reads them so for a
 * page in another thread, which decodes them once.
 */
import type { Branch } from './branch.ts';
import type { CID } from '../data/cid.ts';
import type { FoundRecord, ListOptions, RecordEntry, RecordValue, Repo, Tree } from './repo.ts';

export type StoredRecord = Omit<FoundRecord, 'value'>;
export type StoredEntry = Omit<RecordEntry, 'value'>;

export interface StoredReads {
  /** As `get`, without the value. A record that breaks the data model is returned, too. */
  getStored(collection: string, rkey: string): Promise<StoredRecord | undefined>;
}

export interface StoredTree extends Tree, StoredReads {
  /** As `list`, without the values. */
  listStored(collection?: string, options?: ListOptions): AsyncIterable<StoredEntry>;
  put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<StoredTree>;
  delete(collection: string, rkey: string): Promise<StoredTree>;
  /** Has `gc` keep the state that was checked out, until the returned function is called. */
  pin(): Promise<() => void>;
}

export interface StoredBranch extends Branch, StoredReads {}

/** A repository in this thread. */
export interface StoredRepo extends Repo, StoredReads {
  branch(name: string): StoredBranch;
  checkout(at?: string | CID): Promise<StoredTree>;
}
