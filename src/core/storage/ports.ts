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

/** The minimum for reading a tree. */
export interface BlockReader {
  /** Whether each read is a round trip to another machine. Then walks make fewer and larger reads. Default: false. */
  readonly isDistant?: boolean | undefined;
  /** Returns the bytes of a block, or `undefined` if it is missing. Rejects if the read fails. */
  get(cid: CidLike): Promise<Bytes | undefined>;
  /** The same for many blocks. Returns one entry per CID, in order. */
  getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]>;
}

/** Which commits to list: `after` and `before` are exclusive. Oldest first unless `reverse`. */
export interface CommitRange {
  readonly after?: Tid | undefined;
  readonly before?: Tid | undefined;
  readonly reverse?: boolean | undefined;
}

/** A consistent snapshot of the storage as files. Later changes do not affect it. */
export interface StoreSnapshot {
  /** Read them one after the other, each once. */
  readonly files: readonly BackupFile[];
  readonly refs: ReadonlyMap<string, CID>;
  readonly blocks: number;
  readonly commits: number;
  /** Ends the snapshot. Call it after the files have been read. A second call does nothing. */
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
  /** Lists the meta values whose name begins with `prefix` (default: all), in the order of their names. */
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
  /** Reads that skip invalid rows: all of them, or none if rows cannot be invalid. See `lenientReads`. */
  readonly maintenance?: Partial<LenientReader> | undefined;
}

/**
 * Reads of a storage that other programs can write to, or that a disk can damage. A row is invalid when it is not an
 * entry of its table: a block without a CID, a ref without a commit's CID, a rev that is not a TID. The lists of
 * `StoreReader` reject with `Corrupt` at the first invalid row; these skip it.
 */
export interface LenientReader extends Pick<StoreReader, 'cids' | 'commits' | 'refs'> {
  /** Counts the invalid rows, and describes the first ones. */
  invalidRows(): Promise<InvalidRows>;
}

export interface InvalidRows {
  /** Number of invalid rows. */
  readonly count: number;
  /** One sentence per row, for the first `MAX_REPORTED` rows. */
  readonly messages: readonly string[];
}

/** The size of a storage in bytes, without blobs. */
export interface StorageSpace {
  readonly size: number;
  /** Free bytes in `size`, which are reused. */
  readonly free: number;
  /** Objects of other programs in the same storage, such as `table=notes`. Absent if the storage has no such objects. */
  readonly others?: readonly string[] | undefined;
}

export interface ShrinkOptions {
  /** Also rewrites the whole storage without free space. */
  readonly compact: boolean;
}

/** Optional capabilities of a store, each by itself. Without one, some operations are slower or unsupported. */
export interface StoreMaintenance extends Partial<LenientReader> {
  /**
   * Describes the faults of the storage below the blocks, one sentence per fault. Empty if the storage has no fault.
   * (For SQLite: `pragma integrity_check`.)
   */
  check?(): Promise<readonly string[]>;
  /**
   * Reads every block in the fastest order. Resolves to `undefined` if the storage has more than `maxBytes` bytes. With
   * a finite `maxBytes`, also if reading block by block is as fast. Does not check hashes; skips invalid rows.
   */
  scan?(maxBytes: number): Promise<AsyncIterable<PackedBlocks> | undefined>;
  /**
   * Returns a snapshot between two changes. Changes continue meanwhile.
   * @throws {RepoError} `Locked` while another snapshot is open; `StorageFailed`.
   */
  snapshot?(): Promise<StoreSnapshot>;
  /** Returns the size of the storage and of its free part. */
  space?(): Promise<StorageSpace>;
  /**
   * Frees space and erases removed data, between two changes. Resolves to the number of bytes by which the storage
   * shrank. Durable once it resolves. While a snapshot is open, does nothing without `compact`.
   * @throws {RepoError} `Locked` with `compact` while a snapshot is open; `StorageFull`, `StorageFailed`. On an error,
   *   the content stays unchanged.
   */
  shrink?(options: ShrinkOptions): Promise<number>;
}

/** Optional capabilities of a change. Its reads see the writes of the change. */
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
   * Whether only one store can be open on a repository at a time; a second one rejects with `Locked`. If `false`,
   * several stores (of several processes) can be open on one repository: see `transact`.
   */
  readonly exclusive: boolean;
  /** Returns the number of blocks. */
  count(): Promise<number>;
  /**
   * Runs one change and resolves to the result of `run`. The change is complete and durable once this resolves. If
   * `run` throws, nothing has changed, and `transact` rejects with its error. Changes queue: the next one starts when
   * this one has ended.
   *
   * `run` reads and writes only through the change. It must not call the store, because that would deadlock a pool of
   * connections. `run` is called once and never repeated, because it may have consumed a stream.
   *
   * Readers outside the change may see its new blocks early, because blocks are addressed by content. They never see
   * its refs, meta, commits or removals before it is complete.
   *
   * A store that is not `exclusive` locks the repository before it calls `run`, so that changes of all owners queue.
   * The reads of the change then see every change that any owner has completed: each caller reads the head inside the
   * change.
   * @throws {RepoError} `StorageFull`, `StorageFailed`. If the store does not know what is stored after
   *   `StorageFailed`, it rejects every call until it is opened again. A store that is not `exclusive` also: `Locked`
   *   after a timeout; `OutcomeUnknown` if the change may be complete. Later calls see what is stored.
   */
  transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T>;
  readonly maintenance?: StoreMaintenance | undefined;
  /** Waits for queued changes, then releases everything. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * A running change. Its reads see its earlier writes. A list shows the state at its start. After `run` has ended, every
 * method rejects with `Closed`.
 */
export interface BlockChange extends StoreReader {
  /**
   * Adds blocks. An existing block stays unchanged. Resolves to an array: whether each block was new (`true` for the
   * first of two equal blocks, `false` for the second).
   */
  put(blocks: readonly NamedBlock[]): Promise<boolean[]>;
  /**
   * Adds blocks as `put` does, and does not tell which ones were new. So a store may send them at the end of the
   * change. Absent: use `put`.
   */
  readonly stage?: ((blocks: readonly NamedBlock[]) => Promise<void>) | undefined;
  /** Removes blocks. Ignores missing ones. */
  remove(cids: readonly CID[]): Promise<void>;
  /** Points a ref to a CID, or removes it with `undefined`. */
  setRef(name: string, cid: CID | undefined): Promise<void>;
  /** Sets a meta value, or removes it with `undefined`. */
  setMeta(name: string, value: string | undefined): Promise<void>;
  /** Adds a commit to the local history, or replaces the commit with that rev. */
  addCommit(rev: Tid, cid: CID): Promise<void>;
  /** Removes a commit from the local history. Ignores a missing one. */
  removeCommit(rev: Tid): Promise<void>;
  readonly maintenance?: ChangeMaintenance | undefined;
}

/** A stored blob: its CID (raw) and its size in bytes. */
export interface BlobInfo {
  readonly cid: CID;
  readonly size: number;
  /** Time of the last `put`, in milliseconds since 1970. Absent if the store does not know it. */
  readonly storedAt?: number | undefined;
}

/** An entry at the path of a blob that is not a file. */
export interface InvalidBlobEntry {
  readonly cid: CID;
  /** A sentence for people. */
  readonly message: string;
}

export interface PutBlobOptions {
  /** Most bytes to accept. More rejects with `LimitExceeded`. */
  readonly maxSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The source of a blob. A stream is read to its end, or cancelled if storing fails. */
export type BlobSource = Blob | ReadableStream<Uint8Array> | Uint8Array;

/** A file for bytes that do not fit in memory. If it is not removed, the next opening of its store removes it. */
export interface ScratchFile {
  /**
   * Appends all bytes. They need not be durable.
   * @throws {RepoError} `StorageFull`; `StorageFailed`; `Closed` after the end of the store.
   */
  append(bytes: Uint8Array): Promise<void>;
  /** Yields all bytes in order. Call it once, after the last `append`. A chunk is valid until the next one. */
  read(): AsyncIterable<Uint8Array>;
  /** Removes the file. Does not reject. */
  remove(): Promise<void>;
}

/** One repository's blobs, named by their CID. Every method rejects with `Closed` after `close`. */
export interface BlobStore extends AsyncDisposable {
  /**
   * Stores a blob. Durable once this resolves; absent if it rejects. Storing an existing blob returns the same, repairs
   * a damaged file and updates `storedAt`.
   * @throws {RepoError} `LimitExceeded` above `maxSize`; `StorageFull`; `StorageFailed`.
   */
  put(source: BlobSource, options?: PutBlobOptions): Promise<BlobInfo>;
  /**
   * Returns the blob, or `undefined` if it is missing. Its bytes are read lazily (`slice`, `stream`, `arrayBuffer`) and
   * not hashed; `Repo.getBlob` hashes them.
   */
  get(cid: CID): Promise<Blob | undefined>;
  /** Removes blobs. Ignores missing ones. */
  delete(cids: readonly CID[]): Promise<void>;
  /** Lists all blobs in the order of their CID texts, starting after `after`. Skips entries whose name is not a CID. */
  list(options?: { readonly after?: CID | undefined }): AsyncIterable<BlobInfo>;
  /**
   * Lists entries at the paths of blobs that are not files, such as a symbolic link or a folder. `list` skips them.
   * Absent in a store that cannot contain such entries.
   */
  invalidEntries?(): AsyncIterable<InvalidBlobEntry>;
  /**
   * Makes an empty scratch file. Absent in a store without files. Then an import of a slow source that does not fit in
   * memory delays other writes.
   * @throws {RepoError} `StorageFull`; `StorageFailed`.
   */
  scratch?(): Promise<ScratchFile>;
  close(): Promise<void>;
}
