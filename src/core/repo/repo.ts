/**
 * What a repository can do. Every door answers this one interface: over files in Node, Deno and Bun, and over a
 * worker in browsers.
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
import type {
  CommitRef,
  CreateRecordOptions,
  CreateResult,
  Head,
  HeadChange,
  LogEntry,
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
  /** In the local history. */
  readonly commits: number;
  /** At the head. */
  readonly records: number;
  /** In the storage, history included. */
  readonly blocks: number;
  readonly blobs: number;
  readonly collections: readonly CollectionCount[];
  /** Bytes of the file of the database, blobs not included. Left out where there is no such file. */
  readonly size?: number | undefined;
  /** Of `size`: bytes of pages that hold nothing. `gc` gives them back. */
  readonly free?: number | undefined;
  /**
   * Tables, indexes and views that another program has added to the database, such as `table=notes`. Nothing reads or
   * changes them. Left out where there are none.
   */
  readonly others?: readonly string[] | undefined;
  /** Where a browser keeps it. */
  readonly storage?: 'indexeddb' | 'opfs' | undefined;
  /** Whether the browser has promised to keep it when room gets short. */
  readonly persistent?: boolean | undefined;
}

export interface MissingBlob extends BlobMention {
  /** The first record, in key order, that mentions it. */
  readonly uri: string;
}

export interface StoredBlob extends BlobInfo {
  /** As it was said when the blob was stored here. */
  readonly mimeType: string | undefined;
}

export interface PutBlobRefOptions extends PutBlobOptions {
  /**
   * Kept with the blob and put into the reference. A `Blob`'s own type, or `application/octet-stream`, when left out.
   */
  readonly mimeType?: string | undefined;
}

/** One account's repository, open. Methods reject with `Closed` after `close`. */
export interface Repo extends AsyncDisposable {
  readonly did: string;
  /** The values that an application keeps beside the repository, under names that begin with `app:`. */
  readonly meta: RepoMeta;

  /** The newest commit, or `undefined` before the first one. */
  head(): Promise<Head | undefined>;
  /** Counts and the head. Walks the tree, not the records. */
  info(): Promise<RepoInfo>;

  /**
   * A record, or `undefined` when there is none.
   * @throws {RepoError} `InvalidCollection`, `InvalidRecordKey`; `Malformed` when its bytes break the data model;
   *   `Corrupt` when they are not those that its CID names.
   */
  get(collection: string, rkey: string): Promise<FoundRecord | undefined>;
  /**
   * The records of a collection in key order, all from one state, which stays until the list ends or is left; of all
   * collections where it is left out, or the options are the first argument. A record that breaks the data model
   * rejects when its turn comes.
   */
  list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry>;
  /**
   * Returns a record in the JSON form of the data model (`{ "$link": … }` for a CID, `{ "$bytes": … }` for bytes), or
   * `undefined` when there is no such record. {@link Records} types it; unchecked without `validate`.
   * @throws {RepoError} as {@link Repo.get}; `InvalidRecord` when the record has no JSON form, because a map in it has
   *   a key `$link` or `$bytes`.
   */
  getJson<C extends CollectionName>(collection: C, rkey: string): Promise<JsonRecord<C> | undefined>;
  /** The records as {@link Repo.list} returns them, each in the form of {@link Repo.getJson}. */
  listJson<C extends CollectionName>(collection?: C | ListOptions, options?: ListOptions): AsyncIterable<JsonRecord<C>>;
  /**
   * Returns the records of a collection in the form of {@link Repo.getJson}, read again after each change of that
   * collection by any owner. The first page comes at once. Changes that come before the next page is asked for are one.
   * `limit`, `cursor` and `reverse` are those of {@link Repo.list}; without a limit, a page has all records. Ends when
   * it is left, when its `signal` aborts, and when the repository is closed. Rejects as {@link Repo.list} does, and
   * ends with that.
   */
  watch<C extends CollectionName>(collection?: C | WatchOptions, options?: WatchOptions): RecordWatch<C>;
  /** The collections that have records, in order, with how many. */
  collections(): Promise<CollectionCount[]>;

  /**
   * Makes one commit of all the operations; none makes an empty commit, which signs the same records anew.
   * Durable once this resolves; nothing has changed if it rejects.
   *
   * Operations see the ones before them. What several say about one path is merged, so that the commit holds at
   * most one operation a path.
   * @throws {RepoError} `RecordExists` (create), `RecordNotFound` (update, delete), `InvalidSwap`, `InvalidRecord`,
   *   `InvalidCollection`, `InvalidRecordKey`, `RecordTooLarge`, `SignerRequired`, `InvalidSigner`, `StorageFull`,
   *   `StorageFailed`.
   */
  write(ops: readonly WriteOp[], options?: WriteOptions): Promise<WriteResult>;
  /**
   * Creates a record in a commit of its own, under a new TID unless the options have an `rkey`, as
   * `com.atproto.repo.createRecord` does. Takes a value of the data model or its JSON form.
   * @throws {RepoError} `RecordExists`; as {@link Repo.write} does.
   */
  create<C extends CollectionName>(
    collection: C,
    value: RecordInput<C>,
    options?: CreateRecordOptions,
  ): Promise<CreateResult>;
  /** Creates or replaces a record in a commit of its own. A value that is there already makes no commit. */
  put(collection: string, rkey: string, value: RecordValue | Uint8Array, options?: WriteOptions): Promise<PutResult>;
  /**
   * Returns the bytes of a record as they are stored, also where they break the data model; `undefined` when there is
   * no such record. Takes `collection/rkey`, or the two.
   * @throws {RepoError} `Corrupt` when the bytes are not those that the record's CID names.
   */
  getBytes(path: string, rkey?: string): Promise<Bytes | undefined>;
  /**
   * Writes the record at `collection/rkey` as it was at a rev, a CID or a ref, in a commit of its own: the bytes as
   * they are stored, also where they break the data model. Makes no commit when the record is the same.
   * @throws {RepoError} `RecordNotFound` when that state has no such record; `RefNotFound`; as `put` does.
   */
  restore(path: string, at: string | CID, options?: WriteOptions): Promise<PutResult>;
  /** Deletes a record in a commit of its own; `undefined`, and no commit, when there is none. */
  delete(collection: string, rkey: string, options?: WriteOptions): Promise<CommitRef | undefined>;

  /**
   * A state of the records: of a commit's rev or CID, of a ref's name, or of the head when left out (an empty tree
   * before the first commit).
   * @throws {RepoError} `RefNotFound` when nothing here has that name; `BlockNotFound` when its blocks are gone.
   */
  checkout(at?: string | CID): Promise<Tree>;
  /**
   * Makes a tree the head. `InvalidSwap` when the head is not the commit that `checkout` answered this tree, or its
   * ancestor, from. `BlockNotFound` when blocks of that commit were removed since: check out again.
   */
  commit(tree: Tree, options?: WriteOptions): Promise<CommitRef>;
  /** The local history, newest first. Commits that `gc` removes meanwhile are left out. */
  log(): AsyncIterable<LogEntry>;
  /**
   * What changed from one state to another, in key order. Either is a rev, a CID or a ref; `undefined` is the empty
   * tree.
   */
  diff(from: string | CID | undefined, to?: string | CID): AsyncIterable<RecordChange>;

  /**
   * Makes an older commit of the local history the head again, in one transaction. Later commits leave the history; the
   * old head stays by a ref.
   * @throws {RepoError} `RefNotFound` when the target is not in the local history; `BlockNotFound` when blocks of its
   *   tree are missing; `InvalidSwap`.
   */
  reset(target: string | CID, options?: ResetOptions): Promise<ResetResult>;
  /**
   * Signs the head's records at the present time, where a clock that was ahead has left revs in the future. Later revs
   * leave the history; the old head stays by a ref. Services that took a future rev ignore the repository until then.
   * @throws {RepoError} `HeadNotFound`, `SignerRequired`, `InvalidSigner`, `InvalidSwap`.
   */
  recommit(options: RecommitOptions): Promise<RecommitResult>;
  /**
   * Returns a branch, which begins with its first write. Its commits need no signer.
   * @throws {RepoError} `InvalidRef` when the name cannot be a branch's.
   */
  branch(name: string): Branch;

  /** Every ref; `main` is the head. */
  refs(): Promise<ReadonlyMap<string, CID>>;
  /**
   * Points a ref at a commit that is here: a branch or a tag, which `gc` then keeps. `main` moves only by commits.
   * @throws {RepoError} `InvalidRef` when `name` has the wrong form or is `main`; `RefNotFound` when `target` is not
   *   here; `Malformed` when it is not a commit.
   */
  setRef(name: string, target: string | CID): Promise<void>;
  /** Removes a ref; `false` when there was none. @throws {RepoError} `InvalidRef` as `setRef` does. */
  removeRef(name: string): Promise<boolean>;

  /**
   * Takes in a CAR: everything is checked first (every hash, the whole tree, that nothing is missing, the DID, the rev
   * and, with a key, the signature), and nothing has changed if anything is wrong. A CAR with only what is new
   * (`since`) applies too. What was written here since the last import and is not in the new head is kept by a ref and
   * told in `kept`.
   * @throws {RepoError} `Malformed`, `BlockNotFound`, `WrongDid`, `InvalidSignature`, `OutdatedRev`, `FutureRev`,
   *   `LimitExceeded`, `InvalidRecord` (with `records: 'reject'`).
   */
  importCar(source: CarSource, options?: ImportOptions): Promise<ImportResult>;
  /**
   * The repository as a CAR, in preorder: the commit, then the tree depth first with each record after its key.
   * The stream fails with `HeadNotFound` before the first commit.
   */
  exportCar(options?: ExportOptions): ReadableStream<Uint8Array>;

  /**
   * Stores a blob and returns the reference to put into a record. Durable once this resolves. The source may come as a
   * promise, or as a function that opens it: `putBlob(() => openAsBlob('avatar.png'))`.
   * @throws {RepoError} `BlobNotFound` when the source cannot be read, such as a file that is missing; `LimitExceeded`;
   *   `StorageFull`, `StorageFailed`. An error of a stream comes out as it was.
   */
  putBlob(source: LazyBlobSource, options?: PutBlobRefOptions): Promise<BlobRef>;
  /**
   * A blob with its MIME type, or `undefined` when it is not here.
   * @throws {RepoError} `Corrupt` when the bytes are not those that the CID names.
   */
  getBlob(cid: CID): Promise<Blob | undefined>;
  /** The blobs that are here, in the order of their CIDs. */
  blobs(): AsyncIterable<StoredBlob>;
  /** The blobs that records of the head mention and that are not here, one entry a blob. */
  missingBlobs(): AsyncIterable<MissingBlob>;

  /** Checks everything that is here and answers every fault there is. Changes nothing. */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  /**
   * Mends what can be mended from what is here, and says what cannot, in one change: removes rows that are none and
   * blocks that are damaged, so that an import brings them again; makes the newest commit whose tree is whole the head;
   * writes the list of commits anew; removes files that are not the blobs of their names. A head whose tree lacks
   * nothing but records stays. Everything that is done, and everything that is lost, is in the answer.
   * @throws {RepoError} `Corrupt` when the database itself is damaged, below what this reaches: the doors for folders
   *   have `salvageRepo` for that. `StorageFull`, `StorageFailed`.
   */
  repair(options?: RepairOptions): Promise<RepairReport>;
  /**
   * The files of the repository as it is now, also while it is written to: `pds.db`, the blobs, and last
   * `manifest.json` with the size and the SHA-256 of each. Without a manifest it is no backup. Each file is read to its
   * end before the next one is asked for. All is verified first.
   *
   * The doors for folders have `saveBackup` to write it; in a browser `importFolder` takes one in.
   * @throws {RepoError} `Corrupt` when the repository is damaged, unless `damaged` allows it; `Locked` while another
   *   backup is being made; `BlobNotFound` when a blob is removed meanwhile; `StorageFailed`, also where nothing is
   *   kept in files.
   */
  backup(options?: BackupOptions): AsyncIterable<BackupFile>;
  /**
   * Removes what no ref, none of the newest commits and no running reader reaches. Blobs that were stored within the
   * hour stay, see `blobAge`.
   */
  gc(options?: GarbageOptions): Promise<GarbageResult>;

  /**
   * Calls `listener` after each new head by any owner, in the order of the heads. Returns a function that ends it.
   * What a listener throws is reported as an uncaught error is, and changes nothing here.
   */
  onChange(listener: (change: HeadChange) => void): () => void;

  /** Waits for what is running, then lets go of the files. A second call does nothing. */
  close(): Promise<void>;
}
