/** One state of the records. */
import type { Bytes } from '../data/bytes.ts';
import type { CID } from '../data/cid.ts';

/**
 * A value of the lexicon data model: CIDs as multiformats' `CID`, bytes as `Uint8Array`, blob references as
 * {@link BlobRef}, integers that are safe, no floats. Maps come out without a prototype.
 */
export type RecordValue = Readonly<Record<string, unknown>>;

export interface RecordEntry {
  /** `at://did/collection/rkey` */
  readonly uri: string;
  readonly cid: CID;
  readonly collection: string;
  readonly rkey: string;
  readonly value: RecordValue;
  /** The record's block as it was stored. */
  readonly bytes: Bytes;
}

export interface FoundRecord {
  readonly uri: string;
  readonly cid: CID;
  readonly value: RecordValue;
  /** The record's block as it was stored. */
  readonly bytes: Bytes;
}

export interface ListOptions {
  /** At most so many. All of them when left out. */
  readonly limit?: number | undefined;
  /**
   * A record key: the list starts after it. The last `rkey` of a page is the cursor of the next. Over all collections,
   * `collection/rkey`. An empty text is the beginning.
   */
  readonly cursor?: string | undefined;
  /** From the last key to the first: newest first where keys are TIDs. */
  readonly reverse?: boolean | undefined;
}

export interface CollectionCount {
  readonly collection: string;
  /** Records in it. */
  readonly count: number;
}

/** What a tree holds for a key, before its record is read. */
export interface TreeEntry {
  readonly collection: string;
  readonly rkey: string;
  readonly cid: CID;
}

/**
 * One state of the records, which never changes: `put` and `delete` answer another. Becomes the head by `Repo.commit`.
 */
export interface Tree {
  /** The commit that this tree, or the one it was made from, was checked out of. */
  readonly base: CID | undefined;
  /** The head at that time: `commit` expects that it is the head still. */
  readonly head: CID | undefined;
  get(collection: string, rkey: string): Promise<FoundRecord | undefined>;
  put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<Tree>;
  /** The tree without that record; the same tree when there is none. */
  delete(collection: string, rkey: string): Promise<Tree>;
  /** The records of one collection; of all of them where it is left out, or the options are the first argument. */
  list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry>;
  /**
   * The keys of one collection, or of all of them (where the cursor is `collection/rkey`), without reading a record.
   */
  entries(collection?: string, options?: ListOptions): AsyncIterable<TreeEntry>;
  collections(): Promise<CollectionCount[]>;
}

/** One record that differs between two trees. `cid` is missing when deleted, `prev` when created. */
export interface RecordChange {
  readonly action: 'create' | 'update' | 'delete';
  readonly collection: string;
  readonly rkey: string;
  readonly cid?: CID | undefined;
  readonly prev?: CID | undefined;
}
