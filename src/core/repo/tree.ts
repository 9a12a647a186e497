/** Types of a tree: an immutable state of the records. */
import type { Bytes } from '../data/bytes.ts';
import type { CID } from '../data/cid.ts';

/**
 * A value of the lexicon data model: CIDs as `CID` of multiformats, bytes as `Uint8Array`, blobs as {@link BlobRef},
 * safe integers, no floats. Decoded maps have no prototype.
 */
export type RecordValue = Readonly<Record<string, unknown>>;

export interface RecordEntry {
  /** `at://did/collection/rkey` */
  readonly uri: string;
  readonly cid: CID;
  readonly collection: string;
  readonly rkey: string;
  readonly value: RecordValue;
  /** The stored block of the record. */
  readonly bytes: Bytes;
}

export interface FoundRecord {
  readonly uri: string;
  readonly cid: CID;
  readonly value: RecordValue;
  /** The stored block of the record. */
  readonly bytes: Bytes;
}

export interface ListOptions {
  /** Most records to return. Default: all. */
  readonly limit?: number | undefined;
  /**
   * A record key: the list starts after it. The last `rkey` of a page is the cursor of the next page. For all
   * collections, it is `collection/rkey`. An empty text is the beginning.
   */
  readonly cursor?: string | undefined;
  /** Lists from the last key to the first: newest first if keys are TIDs. */
  readonly reverse?: boolean | undefined;
}

export interface CollectionCount {
  readonly collection: string;
  /** Number of records. */
  readonly count: number;
}

/** A key of a tree and the CID of its record. */
export interface TreeEntry {
  readonly collection: string;
  readonly rkey: string;
  readonly cid: CID;
}

/** An immutable state of the records. `put` and `delete` return a new tree. `Repo.commit` makes a tree the head. */
export interface Tree {
  /** The commit that this tree, or its ancestor, was checked out from. */
  readonly base: CID | undefined;
  /** The head at that time. `Repo.commit` expects the same head. */
  readonly head: CID | undefined;
  get(collection: string, rkey: string): Promise<FoundRecord | undefined>;
  /** As {@link Repo.getMany}. */
  getMany(paths: readonly string[]): Promise<(FoundRecord | undefined)[]>;
  put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<Tree>;
  /** Returns the tree without that record, or the same tree if the key is absent. */
  delete(collection: string, rkey: string): Promise<Tree>;
  /** Lists the records of one collection, or of all if it is omitted or the options come first. */
  list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry>;
  /** Lists the keys of one collection, or of all (with `collection/rkey` as cursor). Reads no record. */
  entries(collection?: string, options?: ListOptions): AsyncIterable<TreeEntry>;
  collections(): Promise<CollectionCount[]>;
}

/** A record that differs between two trees. A deleted record has no `cid`, a created one no `prev`. */
export interface RecordChange {
  readonly action: 'create' | 'update' | 'delete';
  readonly collection: string;
  readonly rkey: string;
  readonly cid?: CID | undefined;
  readonly prev?: CID | undefined;
}
