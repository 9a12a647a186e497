/**
 * The two ports of the core: the store of blocks and the store of blobs. An adapter implements one of them and runs the
 * cases of `pdsdb/testing`.
 *
 * Ownership of bytes: after a call, neither side writes to the bytes that were passed. A later call never changes the
 * bytes that a store has returned.
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

/** The storage at one moment, as files. Later changes do not reach them. */
export interface StoreSnapshot {
  /** To be read one after the other, each once. */
  readonly files: readonly BackupFile[];
  readonly refs: ReadonlyMap<string, CID>;
  readonly blocks: number;
  readonly commits: number;
  /** To be called when the files have been read, or are no longer wanted. A second call does nothing. */
  release(): void;
}

/**
 * The reads that a store and a change have in common.
 *
 * Every list has one order, which all stores share. Names are ordered by their UTF-8 bytes. A list that is being read
 * continues while the store changes: each entry that stays is listed once.
 */
export interface StoreReader extends BlockReader {
  /** Returns the CID that a ref points to, or `undefined`. */
  ref(name: string): Promise<CID | undefined>;
  /** Lists all refs in the order of their names. */
  refs(): AsyncIterable<[name: string, cid: CID]>;
  /** Returns a meta value, or `undefined`. */
  meta(name: string): Promise<string | undefined>;
  /** Lists the meta values whose name begins with `prefix` (all when left out), in the order of their names. */
  metaEntries(prefix?: string): AsyncIterable<[name: string, value: string]>;
  /** Returns the commit of a rev of the local history, or `undefined`. */
  commit(rev: Tid): Promise<CID | undefined>;
  /** Lists the local history: the commits that have been the head, in the order of their revs. */
  commits(range?: CommitRange): AsyncIterable<[rev: Tid, cid: CID]>;
  /**
   * Lists the CID of every block in the order of the CIDs' texts (base32), compared by their ASCII bytes: digits come
   * before letters. This is not the order of the CIDs' 36 bytes. A table whose key is the text has this order in its
   * index: SQLite's `text`, and in PostgreSQL `text collate "C"`, or `bytea` that holds the 59 bytes of the text.
   */
  cids(): AsyncIterable<CID>;
  /** Reads that pass over invalid rows. Absent where a row cannot be invalid. */
  readonly maintenance?: LenientReader | undefined;
}

/**
 * Reads of a storage that other programs can write to, or that a disk can damage. A row is invalid when it is not an
 * entry of its table: a block without a CID, a ref without a commit's CID, a rev that is not a TID. The lists of
 * `StoreReader` reject with `Corrupt` at the first invalid row; these pass over it.
 */
export interface LenientReader extends Pick<StoreReader, 'cids' | 'commits' | 'refs'> {
  /** Counts the invalid rows, and describes the first ones. */
  invalidRows(): Promise<InvalidRows>;
}

export interface InvalidRows {
  /** How many there are. */
  readonly count: number;
  /** One sentence per row, of the first `MAX_REPORTED`. */
  readonly messages: readonly string[];
}

/** The size of a storage, in bytes. Blobs are not in it. */
export interface StorageSpace {
  readonly size: number;
  /** Of `size`: what holds nothing and is used again. */
  readonly free: number;
  /** Names what another program keeps in the same storage, such as `table=notes`. Left out where there is nothing. */
  readonly others?: readonly string[] | undefined;
}

export interface ShrinkOptions {
  /** Also writes the whole storage anew, without room between what it holds. */
  readonly compact: boolean;
}

/** What a store can do beyond the contract of `BlockStore`. Everything works without it, more slowly or with less. */
export interface StoreMaintenance extends LenientReader {
  /**
   * Describes the faults of the storage below the blocks, in one sentence per fault; empty when there are none.
   * (For SQLite: `pragma integrity_check`.)
   */
  check(): Promise<readonly string[]>;
  /**
   * Reads every block in the order that is read fastest, for work over all of them. Resolves to `undefined` where the
   * storage has more than `maxBytes` bytes. Hashes are not checked, and invalid rows are passed over.
   */
  scan(maxBytes: number): Promise<AsyncIterable<PackedBlocks> | undefined>;
  /**
   * Returns the storage as it is between two changes. Changes continue meanwhile.
   * @throws {RepoError} `Locked` while there is another snapshot; `StorageFailed`.
   */
  snapshot(): Promise<StoreSnapshot>;
  /** Returns how large the storage is, and how much of that is free. */
  space(): Promise<StorageSpace>;
  /**
   * Gives free space back, between two changes, and leaves none of what was removed in the storage. Resolves to the
   * bytes by which the storage is smaller. Durable once it resolves. While there is a snapshot it does nothing without
   * `compact`.
   * @throws {RepoError} `Locked` with `compact` while there is a snapshot; `StorageFull`, `StorageFailed`. The content
   *   of the storage stays as it was.
   */
  shrink(options: ShrinkOptions): Promise<number>;
}

/** The part of `StoreMaintenance` that works inside a change. Its reads see what the change wrote so far. */
export interface ChangeMaintenance extends LenientReader {
  /** Announces a bulk write of `bytes` bytes of blocks, so that the store can choose a faster path. */
  expect(bytes: number): Promise<void>;
  /** Removes the invalid rows. */
  removeInvalidRows(): Promise<void>;
}

/**
 * One repository's blocks, refs, meta and list of commits. Everything that changes goes through `transact`.
 * Every method rejects with `Closed` after `close`. `docs/write-an-adapter.md` describes the contract in full.
 */
export interface BlockStore extends StoreReader, AsyncDisposable {
  /**
   * Whether at most one store is open on a repository at a time; a second one is refused with `Locked`. Where this is
   * `false`, several stores (of several processes) can be open on one repository: see `transact`.
   */
  readonly exclusive: boolean;
  /** Returns the number of blocks. */
  count(): Promise<number>;
  /**
   * Runs one change and resolves to the result of `run`. The change is complete and durable once this resolves. If
   * `run` throws, nothing has changed, and its error comes out unchanged. Changes queue: the next one starts when this
   * one has ended.
   *
   * `run` reads and writes through the change only. It must not call the store: a store over a pool of connections
   * would wait for itself. `run` is called once and never repeated, because it may have consumed a stream.
   *
   * Readers outside the change may see its new blocks early, because a block is named by its content. They never see
   * its refs, meta, commits or removals before it is complete.
   *
   * A store that is not `exclusive` locks the repository before it calls `run`, so that changes of all owners queue.
   * The reads of the change then see every change that any owner has completed: each caller reads the head inside the
   * change.
   * @throws {RepoError} `StorageFull`, `StorageFailed`; after `StorageFailed` the store rejects every call until it is
   *   opened again.
   */
  transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T>;
  readonly maintenance?: StoreMaintenance | undefined;
  /** Waits for the changes that were asked for, then releases everything. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * A change in the making. Its reads see what it wrote so far, in order. A list shows the state at its beginning. After
 * `run` has ended, every method rejects with `Closed`.
 */
export interface BlockChange extends StoreReader {
  /**
   * Adds blocks; a block that is present stays as it is. Resolves, in their order, to which of them were new (`true`
   * for the first of two equal ones, `false` for the second).
   */
  put(blocks: readonly NamedBlock[]): Promise<boolean[]>;
  /** Removes blocks; a missing one is no error. */
  remove(cids: readonly CID[]): Promise<void>;
  /** Points a ref to a CID, or removes it with `undefined`. */
  setRef(name: string, cid: CID | undefined): Promise<void>;
  /** Sets a meta value, or removes it with `undefined`. */
  setMeta(name: string, value: string | undefined): Promise<void>;
  /** Adds a commit to the local history, or replaces the one of that rev. */
  addCommit(rev: Tid, cid: CID): Promise<void>;
  /** Removes a commit from the local history; a missing one is no error. */
  removeCommit(rev: Tid): Promise<void>;
  readonly maintenance?: ChangeMaintenance | undefined;
}

/** A stored blob: its CID (raw) and its size in bytes. */
export interface BlobInfo {
  readonly cid: CID;
  readonly size: number;
  /** When it was stored last, in milliseconds since 1970. Left out by a store that does not know. */
  readonly storedAt?: number | undefined;
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
   * answers the same, mends a file whose content is damaged, and sets `storedAt` anew.
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
