/**
 * The two ports of the core: where blocks live, and where blobs live. Whoever writes an adapter implements
 * one of these and runs the cases of `pdsdb/testing` over it.
 *
 * Who owns the bytes: what is handed over is not written to again by either side, and what a store answers
 * is never changed by a later call.
 */
import type { BackupFile } from './backup-file.ts';
import type { NamedBlock } from '../blocks/block.ts';
import type { Bytes } from '../data/bytes.ts';
import type { CID, CidLike } from '../data/cid.ts';
import type { PackedBlocks } from '../blocks/packed-blocks.ts';
import type { Tid } from '../syntax/tid.ts';

/** The least that reading a tree needs. */
export interface BlockReader {
  /** The bytes of a block, or `undefined` when it is not there. A failure to read rejects; it is never "not there". */
  get(cid: CidLike): Promise<Bytes | undefined>;
  /** The same for many, in their order: the answer has as many places as the question. */
  getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]>;
}

/** Which commits to list: `after` and `before` are exclusive. Oldest first unless `reverse`. */
export interface CommitRange {
  readonly after?: Tid | undefined;
  readonly before?: Tid | undefined;
  readonly reverse?: boolean | undefined;
}

/** How to list what may be damaged. */
export interface ListingOptions {
  /** Passes over rows that are no such entry, which `junk` names; else the list rejects with `Corrupt` at the first. */
  readonly lenient?: boolean | undefined;
}

/** The storage at one moment, as files. What changes later does not reach them. */
export interface StoreSnapshot {
  /** To be read one after the other, each once. */
  readonly files: readonly BackupFile[];
  readonly refs: ReadonlyMap<string, CID>;
  readonly blocks: number;
  readonly commits: number;
  /** To be called when the files have been read, or are not wanted any more. A second call does nothing. */
  release(): void;
}

/**
 * One repository's blocks, refs, meta and list of commits. Everything that changes goes through `transact`.
 * Every method rejects with `Closed` after `close`.
 */
export interface BlockStore extends BlockReader, AsyncDisposable {
  /** What a ref points to, or `undefined`. */
  ref(name: string): Promise<CID | undefined>;
  /** All refs in the order of their names (by bytes). */
  refs(options?: ListingOptions): AsyncIterable<[name: string, cid: CID]>;
  /** A meta value, or `undefined`. */
  meta(key: string): Promise<string | undefined>;
  /** The commit of a rev of the local history, or `undefined`. */
  commit(rev: Tid): Promise<CID | undefined>;
  /** The local history: the commits that have been the head, by rev. */
  commits(range?: CommitRange & ListingOptions): AsyncIterable<[rev: Tid, cid: CID]>;
  /** Every block's CID in the order of their texts. For collecting garbage and for checks. */
  cids(options?: ListingOptions): AsyncIterable<CID>;
  /** How many blocks there are. */
  count(): Promise<number>;
  /**
   * Every block in whatever order is read fastest, for work over all of them; `undefined` where the storage has more
   * than `maxBytes`. Hashes are not checked, and rows that are no block are passed over. Left out by a store that has
   * no such order.
   */
  scan?(maxBytes: number): AsyncIterable<PackedBlocks> | undefined;
  /**
   * Runs one change. Whole and durable once this resolves; if `run` throws, as if it had never been, and the
   * error comes out as it was. Changes queue: the next one starts when this one has ended.
   *
   * Readers outside may see the new blocks early (they are named by their content, so nobody can mistake
   * them), never the new refs, meta or commits.
   * @throws {RepoError} `StorageFull`, `StorageFailed`; after the latter, and after either where `persist` makes things
   *   durable, the store is of no more use until opened again.
   */
  transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T>;
  /**
   * What is wrong with the storage below the blocks, a sentence a fault; empty when nothing is.
   * (For SQLite: `pragma integrity_check`.)
   */
  check(): Promise<readonly string[]>;
  /**
   * Rows that are no entry of their table, a sentence each: a block that no CID names, a ref that is none.
   */
  junk(): Promise<readonly string[]>;
  /**
   * The storage as it is between two changes. Changes go on meanwhile. Left out by a store that keeps no files.
   * @throws {RepoError} `Locked` while there is another snapshot; `StorageFailed`.
   */
  snapshot?(): Promise<StoreSnapshot>;
  /** Waits for the running change, then lets go of everything. A second call does nothing. */
  close(): Promise<void>;
}

/** A change in the making. Its reads see what it wrote so far. Of no use after `run` has ended. */
export interface BlockChange extends BlockReader {
  /**
   * Says how many bytes of blocks are about to be put, for a store that has another way of writing many. Left out where
   * there is none.
   */
  expect?(bytes: number): Promise<void>;
  /**
   * Adds blocks; one that is there already is left as it is. Answers, in their order, which of them were new
   * (`true` for the first of two equal ones, `false` for the second).
   */
  put(blocks: readonly NamedBlock[]): Promise<boolean[]>;
  /** Removes blocks; one that is not there is no error. */
  remove(cids: readonly CID[]): Promise<void>;
  /** Points a ref, or removes it with `undefined`. */
  setRef(name: string, cid: CID | undefined): Promise<void>;
  setMeta(key: string, value: string | undefined): Promise<void>;
  addCommit(rev: Tid, cid: CID): Promise<void>;
  removeCommit(rev: Tid): Promise<void>;
  /** Removes the rows that `BlockStore.junk` names. */
  removeJunk(): Promise<void>;
}

/** A stored blob: its CID (raw) and its size in bytes. */
export interface BlobInfo {
  readonly cid: CID;
  readonly size: number;
}

/** Something by the name of a blob that is no file. */
export interface BlobStray {
  readonly cid: CID;
  /** A sentence. */
  readonly message: string;
}

export interface PutBlobOptions {
  /** The most bytes to take; one more rejects with `LimitExceeded`. */
  readonly maxSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a blob can come from. A stream is read to its end; it is cancelled when storing it fails. */
export type BlobSource = Blob | ReadableStream<Uint8Array> | Uint8Array;

/** One repository's blobs, named by their CID. Every method rejects with `Closed` after `close`. */
export interface BlobStore extends AsyncDisposable {
  /**
   * Stores a blob: durable once this resolves, not there at all if it rejects. Storing what is there already
   * answers the same and mends a file whose content is damaged.
   * @throws {RepoError} `LimitExceeded` past `maxSize`; `StorageFull`; `StorageFailed`.
   */
  put(source: BlobSource, options?: PutBlobOptions): Promise<BlobInfo>;
  /**
   * The blob, or `undefined` when it is not there. Its bytes are read when they are asked for (`slice`, `stream`,
   * `arrayBuffer`), and are not hashed again here; `Repo.getBlob` does that.
   */
  get(cid: CID): Promise<Blob | undefined>;
  /** Removes blobs; one that is not there is no error. */
  delete(cids: readonly CID[]): Promise<void>;
  /** Every blob in the order of the CIDs' texts, from after `after` on. What is not named by a CID is passed over. */
  list(options?: { readonly after?: CID | undefined }): AsyncIterable<BlobInfo>;
  /**
   * What lies where a blob should and is none, and which `list` passes over: a symbolic link, a folder. Left out by a
   * store where nothing but blobs can lie.
   */
  strays?(): AsyncIterable<BlobStray>;
  close(): Promise<void>;
}
