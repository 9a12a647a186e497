/**
 * The interface of a repository. Every entry point returns it: over files in Node, Deno and Bun, over a worker in
 * browsers.
 *
 * https://atproto.com/specs/repository
 */
import type { BackupOptions } from './transfer/backup-manifest.ts';
import type { BackupFile } from '../storage/backup-file.ts';
import type { BlobMention, BlobRef } from '../data/blob-ref.ts';
import type { Branch } from './branch.ts';
import type { Bytes } from '../data/bytes.ts';
import type { CID } from '../data/cid.ts';
import type {
  ExportOptions,
  GarbageOptions,
  GarbageResult,
  ImportOptions,
  ImportResult,
  VerifyOptions,
  VerifyReport,
} from './long-work.ts';
import type { CarSource } from '../car/source.ts';
import type { RepairOptions, RepairReport } from './care/repair-report.ts';
import type { LazyBlobSource } from '../storage/blob-source.ts';
import type { BlobInfo, PutBlobOptions } from '../storage/ports.ts';
import type { RepoMeta } from './write/meta.ts';
import type { RepoProofs } from './proof/repo-proofs.ts';
import type {
  CommitRef,
  CreateRecordOptions,
  CreateResult,
  DiffOptions,
  Head,
  HeadChange,
  LogEntry,
  LogOptions,
  PutResult,
  RecommitOptions,
  RecommitResult,
  ResetOptions,
  ResetResult,
  WriteOp,
  WriteOptions,
  WriteResult,
} from './commits.ts';
import type {
  CollectionCount,
  FoundRecord,
  ListOptions,
  RecordChange,
  RecordEntry,
  RecordValue,
  Tree,
} from './tree.ts';
import type { RecordWatch, WatchOptions } from './read/watch.ts';
import type { CollectionName, JsonRecord, RecordInput } from './typed-records.ts';

export type { CommitRef, Head, HeadChange, LogEntry, WriteOp, WriteOptions, WriteResult } from './commits.ts';
export type {
  CollectionCount,
  FoundRecord,
  ListOptions,
  RecordChange,
  RecordEntry,
  RecordValue,
  Tree,
  TreeEntry,
} from './tree.ts';

export interface RepoInfo {
  readonly did: string;
  readonly head: CID | undefined;
  readonly rev: string | undefined;
  readonly data: CID | undefined;
  readonly signed: boolean;
  /** Commits in the local history. */
  readonly commits: number;
  /** Records at the head. */
  readonly records: number;
  /** Stored blocks, history included. */
  readonly blocks: number;
  readonly blobs: number;
  readonly collections: readonly CollectionCount[];
  /** Size of the database file in bytes, without blobs. Absent if there is no such file. */
  readonly size?: number | undefined;
  /** Bytes of free pages in `size`. `gc` removes them. */
  readonly free?: number | undefined;
  /**
   * Tables, indexes and views that another program added to the database, such as `table=notes`. Nothing reads or
   * changes them. Absent if the storage has no such objects.
   */
  readonly others?: readonly string[] | undefined;
  /** The storage that a browser uses. */
  readonly storage?: 'indexeddb' | 'opfs' | undefined;
  /** Whether the browser has promised not to evict the storage. */
  readonly persistent?: boolean | undefined;
}

export interface MissingBlob extends BlobMention {
  /** The first record, in key order, that mentions it. */
  readonly uri: string;
}

export interface StoredBlob extends BlobInfo {
  /** The type given to `putBlob`. */
  readonly mimeType: string | undefined;
}

export interface PutBlobRefOptions extends PutBlobOptions {
  /** Stored with the blob and set in the reference. Default: the type of a `Blob`, or `application/octet-stream`. */
  readonly mimeType?: string | undefined;
  /** The CID that the blob must have. Otherwise nothing is stored, and the call rejects with `Malformed`. */
  readonly expect?: CID | undefined;
}

/** An open repository of one account. Methods reject with `Closed` after `close`. */
export interface Repo extends AsyncDisposable, RepoProofs {
  readonly did: string;
  /** Values that an application stores beside the repository, under names that begin with `app:`. */
  readonly meta: RepoMeta;

  /** Returns the newest commit, or `undefined` before the first commit. */
  head(): Promise<Head | undefined>;
  /**
   * Returns the head and counts. The records of the head are counted when it is made. SQLite counts its blocks once per
   * opening.
   */
  info(): Promise<RepoInfo>;

  /**
   * Returns the record, or `undefined` if the key is absent.
   * @throws {RepoError} `InvalidCollection`, `InvalidRecordKey`; `Malformed` when its bytes break the data model;
   *   `Corrupt` when its bytes do not match its CID.
   */
  get(collection: string, rkey: string): Promise<FoundRecord | undefined>;
  /**
   * Returns the records at many paths (`collection/rkey`), in the order of the paths: each as {@link Repo.get} returns
   * it. All records are of one commit. Reads each level of the tree once, and all records together. Over a worker, a
   * call is one message.
   * @param paths At most 10,000. A path may be repeated.
   * @throws {RepoError} as {@link Repo.get}; `LimitExceeded` when there are more paths; `BlockNotFound`.
   */
  getMany(paths: readonly string[]): Promise<(FoundRecord | undefined)[]>;
  /**
   * Lists the records of a collection in key order, or of all collections if it is omitted or the options come first.
   * All records are of one commit, which `gc` keeps until the iteration ends. The iteration rejects at a record that
   * breaks the data model.
   */
  list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry>;
  /**
   * Returns a record in the JSON form of the data model (`{ "$link": … }` for a CID, `{ "$bytes": … }` for bytes), or
   * `undefined` if the key is absent. {@link Records} gives its type, which is unchecked without `validate`.
   * @throws {RepoError} as {@link Repo.get}; `InvalidRecord` when the record has no JSON form, because one of its maps
   *   has a key `$link` or `$bytes`.
   */
  getJson<C extends CollectionName>(collection: C, rkey: string): Promise<JsonRecord<C> | undefined>;
  /** As {@link Repo.list}, with each record in the form of {@link Repo.getJson}. */
  listJson<C extends CollectionName>(collection?: C | ListOptions, options?: ListOptions): AsyncIterable<JsonRecord<C>>;
  /**
   * Yields pages of a collection in the form of {@link Repo.getJson}: the first page at once, then a page after each
   * change of the collection by any owner. Changes between two calls of `next` give one page. `limit`, `cursor` and
   * `reverse` are as in {@link Repo.list}; without a limit, a page has all records. Ends with the loop, with `signal`,
   * and when the repository closes. An error of the list ends it too.
   */
  watch<C extends CollectionName>(collection?: C | WatchOptions, options?: WatchOptions): RecordWatch<C>;
  /**
   * Returns the collections that have records, in order, with their counts. Reads no tree: the counts are stored with
   * the head. Only after `commit` of a tree, `reset` or `repair` are they counted, from the difference if possible.
   */
  collections(): Promise<CollectionCount[]>;

  /**
   * Makes one commit of all operations. Without operations, it signs the same records again in an empty commit. The
   * commit is durable once this resolves. If it rejects, nothing has changed.
   *
   * Each operation sees the ones before it. Operations on the same path are merged into one change. Concurrent calls
   * have a commit each, in the order of the calls, and share a sync of the storage.
   * @throws {RepoError} `RecordExists` (create), `RecordNotFound` (update, delete), `InvalidSwap`, `InvalidRecord`,
   *   `InvalidCollection`, `InvalidRecordKey`, `RecordTooLarge`, `SignerRequired`, `InvalidSigner`, `StorageFull`,
   *   `StorageFailed`.
   */
  write(ops: readonly WriteOp[], options?: WriteOptions): Promise<WriteResult>;
  /**
   * Creates a record in its own commit. Its key is `rkey` of the options, or a new TID, as in
   * `com.atproto.repo.createRecord`. Accepts a value of the data model or its JSON form.
   * @throws {RepoError} `RecordExists`; as {@link Repo.write} does.
   */
  create<C extends CollectionName>(
    collection: C,
    value: RecordInput<C>,
    options?: CreateRecordOptions,
  ): Promise<CreateResult>;
  /** Creates or replaces a record in its own commit. Makes no commit if the record already has this value. */
  put(collection: string, rkey: string, value: RecordValue | Uint8Array, options?: WriteOptions): Promise<PutResult>;
  /**
   * Returns the stored bytes of a record, even if they break the data model, or `undefined` if the key is absent.
   * Accepts `collection/rkey`, or two arguments.
   * @throws {RepoError} `Corrupt` when the bytes do not match the record's CID.
   */
  getBytes(path: string, rkey?: string): Promise<Bytes | undefined>;
  /**
   * Writes the record at `collection/rkey` as it was at a rev, a CID or a ref, in its own commit. Keeps the stored
   * bytes, even if they break the data model. Makes no commit if the record is the same.
   * @throws {RepoError} `RecordNotFound` when that commit has no such record; `RefNotFound`; the errors of `put`.
   */
  restore(path: string, at: string | CID, options?: WriteOptions): Promise<PutResult>;
  /** Deletes a record in its own commit. Makes no commit and returns `undefined` if the key is absent. */
  delete(collection: string, rkey: string, options?: WriteOptions): Promise<CommitRef | undefined>;

  /**
   * Returns the records of a commit as a tree. `at` is a rev, a CID or a ref. Default: the head, or an empty tree
   * before the first commit.
   * @throws {RepoError} `RefNotFound` when no commit has that name; `BlockNotFound` when its blocks are missing.
   */
  checkout(at?: string | CID): Promise<Tree>;
  /**
   * Makes a tree the head.
   * @throws {RepoError} `InvalidSwap` when the head has changed since `checkout` returned this tree or its ancestor;
   *   `BlockNotFound` when blocks of that commit were removed since: check out again.
   */
  commit(tree: Tree, options?: WriteOptions): Promise<CommitRef>;
  /**
   * Lists the local history, newest first. Omits commits that `gc` removes during the iteration. With `path`, only the
   * commits that changed this record; the oldest stored commit counts if it has the record.
   * @throws {RepoError} `RefNotFound` when no commit has the name `ref`; `InvalidCollection`, `InvalidRecordKey`.
   */
  log(options?: LogOptions): AsyncIterable<LogEntry>;
  /**
   * Lists the changes between two states, in key order. Each is a rev, a ref, the CID of a commit or of the root of a
   * tree, or a tree that `checkout` has returned, also an edited one. The default of `from` is the empty tree, that of
   * `to` the head. Reads only the nodes that differ, and with `prefix` only those that can have such paths.
   * @throws {RepoError} `RefNotFound` when no commit has that name; `BlockNotFound` when blocks are missing.
   */
  diff(from?: string | CID | Tree, to?: string | CID | Tree, options?: DiffOptions): AsyncIterable<RecordChange>;

  /**
   * Makes an older commit of the local history the head again, in one transaction. Removes later commits from the
   * history. A ref keeps the old head.
   * @throws {RepoError} `RefNotFound` when the target is not in the local history; `BlockNotFound` when blocks of its
   *   tree are missing; `InvalidSwap`.
   */
  reset(target: string | CID, options?: ResetOptions): Promise<ResetResult>;
  /**
   * Signs the head's records again at the present time, for a repository whose revs are in the future because a clock
   * was ahead. Removes later revs from the history. A ref keeps the old head. Services that accepted a future rev
   * ignore the repository until that time.
   * @throws {RepoError} `HeadNotFound`, `SignerRequired`, `InvalidSigner`, `InvalidSwap`.
   */
  recommit(options: RecommitOptions): Promise<RecommitResult>;
  /**
   * Returns a branch. It starts with its first write. Its commits need no signer.
   * @throws {RepoError} `InvalidRef` when the name is not valid for a branch.
   */
  branch(name: string): Branch;

  /** Returns all refs. `main` is the head. */
  refs(): Promise<ReadonlyMap<string, CID>>;
  /**
   * Points a ref at a stored commit, which `gc` then keeps. Only commits move `main`.
   * @throws {RepoError} `InvalidRef` when `name` has the wrong form or is `main`; `RefNotFound` when `target` is not
   *   stored; `Malformed` when it is not a commit.
   */
  setRef(name: string, target: string | CID): Promise<void>;
  /**
   * Removes a ref and returns `true`, or returns `false` if it does not exist.
   * @throws {RepoError} `InvalidRef` as in `setRef`.
   */
  removeRef(name: string): Promise<boolean>;

  /**
   * Imports a CAR, whole or with only the new blocks (`since`). First verifies every hash, the tree, all references,
   * the DID, the rev and, with a key, the signature. If a check fails, nothing changes. Local work since the last
   * import that is not in the new head stays under a ref, and `kept` reports it.
   * @throws {RepoError} `Malformed`, `BlockNotFound`, `WrongDid`, `InvalidSignature`, `OutdatedRev`, `FutureRev`,
   *   `LimitExceeded`, `InvalidRecord` (with `records: 'reject'`).
   */
  importCar(source: CarSource, options?: ImportOptions): Promise<ImportResult>;
  /**
   * Returns the repository as a CAR in preorder: the commit, then the tree depth first, each record after its key. The
   * stream fails with `HeadNotFound` before the first commit.
   */
  exportCar(options?: ExportOptions): ReadableStream<Uint8Array>;

  /**
   * Stores a blob and returns its reference for a record. Durable once this resolves. The source may be a promise, or a
   * function that opens it: `putBlob(() => openAsBlob('avatar.png'))`.
   * @throws {RepoError} `BlobNotFound` when the source cannot be read, such as a missing file; `Malformed` when it is
   *   not the blob of `expect`; `LimitExceeded`; `StorageFull`, `StorageFailed`. Rejects with the stream's
   *   own error if a stream fails.
   */
  putBlob(source: LazyBlobSource, options?: PutBlobRefOptions): Promise<BlobRef>;
  /**
   * Returns a blob with its MIME type, or `undefined` if it is not stored.
   * @throws {RepoError} `Corrupt` when the bytes do not match the CID.
   */
  getBlob(cid: CID): Promise<Blob | undefined>;
  /** Lists the stored blobs in the order of their CIDs. */
  blobs(): AsyncIterable<StoredBlob>;
  /** Lists the blobs that records of the head mention and that are not stored. One entry per blob. */
  missingBlobs(): AsyncIterable<MissingBlob>;

  /** Checks everything that is stored and returns all faults. Changes nothing. */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  /**
   * Repairs the repository in one transaction and reports each step and each loss. Removes invalid rows and damaged
   * blocks, which an import can restore. Makes the newest commit with a complete tree the head, rewrites the list of
   * commits, and removes files that do not match the blob of their name. The head stays if only records are missing.
   * @throws {RepoError} `Corrupt` when the database file itself is damaged: use `salvageRepo` of the entry points for
   *   folders. `StorageFull`, `StorageFailed`.
   */
  repair(options?: RepairOptions): Promise<RepairReport>;
  /**
   * Yields the files of a consistent backup, also during writes: `pds.db`, the blobs, and last `manifest.json` with the
   * size and SHA-256 of each. A backup without a manifest is incomplete. Read each file to its end before the next one.
   * The repository is verified first.
   *
   * `saveBackup` of the entry points for folders writes a backup; `importFolder` imports one in a browser.
   * @throws {RepoError} `Corrupt` when the repository is damaged, unless `damaged` is set; `Locked` while another
   *   backup is running; `BlobNotFound` when a blob is removed during the backup; `StorageFailed`, also if the storage
   *   has no files.
   */
  backup(options?: BackupOptions): AsyncIterable<BackupFile>;
  /**
   * Removes everything that no ref, none of the newest commits and no running reader reaches. Blobs younger than an
   * hour stay, see `blobAge`.
   */
  gc(options?: GarbageOptions): Promise<GarbageResult>;

  /**
   * Calls `listener` after each new head by any owner, in order. Returns a function that removes it. An error of a
   * listener is reported as an uncaught error.
   */
  onChange(listener: (change: HeadChange) => void): () => void;

  /** Waits for running operations, then closes the files. A second call does nothing. */
  close(): Promise<void>;
}
