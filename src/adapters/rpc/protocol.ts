/**
 * What crosses the wire between a page and the worker that has its repository, and between the workers of several tabs:
 * whole requests, their answers, and a little beside them. Everything here survives `structuredClone`; CIDs are packed
 * as `wire-values.ts` says.
 */
import type { BackupOptions } from '../../core/repo/transfer/backup-manifest.ts';
import type { BlobRef } from '../../core/data/blob-ref.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID } from '../../core/data/cid.ts';
import type { RepoErrorCode } from '../../core/errors.ts';
import type {
  ExportOptions,
  GarbageOptions,
  GarbageResult,
  ImportOptions,
  ImportResult,
  LongWork,
  Progress,
  VerifyOptions,
  VerifyReport,
} from '../../core/repo/long-work.ts';
import type { RepairOptions, RepairReport } from '../../core/repo/care/repair-report.ts';
import type { PutResult, RecommitResult, ResetOptions, ResetResult } from '../../core/repo/commits.ts';
import type {
  CollectionCount,
  CommitRef,
  Head,
  ListOptions,
  PutBlobRefOptions,
  RepoInfo,
  WriteOptions,
  WriteResult,
} from '../../core/repo/repo.ts';

/** Raised when a tab with the code of before could not understand one with the code of now. */
export const PROTOCOL_VERSION = 2;

/** An error as data: neither its class nor its code survives `postMessage`. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly code?: RepoErrorCode | undefined;
  readonly cause?: ErrorData | undefined;
  /** Names the error object at the end where it was made. */
  readonly token?: string | undefined;
}

/** One message between two ends that ask each other. Each end numbers its own calls. */
export type Message =
  | { readonly kind: 'abort'; readonly id: number; readonly reason: ErrorData }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  /** With `aborted`, it was aborted before it could be asked: only what has happened already is answered. */
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly method: string;
      readonly params: readonly unknown[];
      readonly aborted?: ErrorData | undefined;
    }
  | { readonly kind: 'change'; readonly change: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: ErrorData }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress };

/** A record on its way: its bytes, which the page decodes. */
export interface WireRecord {
  readonly uri: string;
  readonly cid: CID;
  readonly rkey: string;
  readonly bytes: Bytes;
}

/** An operation whose record is encoded and whose key is known, so that asking twice means the same. */
export interface WireOp {
  readonly action: 'create' | 'delete' | 'update';
  readonly collection: string;
  readonly rkey: string;
  readonly value?: Bytes;
  readonly swapRecord?: CID | null | undefined;
}

/** A signer that lives in the page, by the number under which the page answers for it. */
export interface WireSigner {
  readonly id: number;
  readonly did: string | undefined;
}

export type WireWriteOptions = Omit<WriteOptions, 'signer'> & { readonly signer?: WireSigner | undefined };

/** One edit of a tree; without bytes, a deletion. */
export interface TreeEdit {
  readonly collection: string;
  readonly rkey: string;
  readonly value: Bytes | undefined;
}

/**
 * A tree of `checkout`, by what it is made of: a commit, and edits on top of it. The server keeps the last ones under
 * their keys; for one that it has no more it answers {@link GONE}, and is told the edits.
 */
export interface TreeRef {
  /** `undefined` for the tree before the first commit. */
  readonly base: CID | undefined;
  /** Of an edited tree. */
  readonly key?: number | undefined;
  readonly edits?: readonly TreeEdit[] | undefined;
}

/** The server has no longer what a key or a handle names: say it all again. */
export const GONE = 'gone';
export type Gone = typeof GONE;

/**
 * What bytes come from: whole, by reference, or asked for piece by piece. `lost` are those that cannot be had again.
 */
export type WireSource =
  | { readonly kind: 'blob'; readonly blob: Blob }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'lost' }
  | { readonly kind: 'stream'; readonly id: number };

/** A part of a list, and whether that was all. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly done: boolean;
  /** Of a list of a tree: the commit that the tree comes from, by which the list can be gone on with. */
  readonly base?: CID | undefined;
}

/** A list of a tree; where no tree is named, of the head's or of a branch's. */
export type TreeList =
  | {
      readonly of: 'entries';
      readonly tree: TreeRef | undefined;
      readonly branch?: string | undefined;
      readonly collection: string | undefined;
      readonly options: ListOptions;
    }
  | {
      readonly of: 'list';
      readonly tree: TreeRef | undefined;
      readonly branch?: string | undefined;
      readonly collection: string | undefined;
      readonly options: ListOptions;
    };

/** The lists that the server walks for a client, a page at a time. */
export type OpenList =
  /** Of {@link FileHead}s, each with the pieces of its bytes after it. */
  | { readonly of: 'backup'; readonly options: Omit<BackupOptions, keyof LongWork> }
  | { readonly of: 'blobs' }
  | { readonly of: 'branchDiff'; readonly branch: string }
  | { readonly of: 'diff'; readonly from: CID | string | undefined; readonly to: CID | string | undefined }
  /** The server tells of its progress if somebody listens. */
  | { readonly of: 'exportCar'; readonly options: Omit<ExportOptions, keyof LongWork>; readonly tells: boolean }
  | { readonly of: 'log' }
  | { readonly of: 'meta'; readonly prefix: string | undefined }
  | { readonly of: 'missingBlobs' }
  | TreeList;

/** What a client asks. The last argument of long work (signal, progress) does not travel with it: messages do. */
export interface ServerMethods {
  head(): Head | undefined;
  info(): RepoInfo;
  get(collection: string, rkey: string): WireRecord | undefined;
  collections(): CollectionCount[];
  write(ops: readonly WireOp[], options: WireWriteOptions): WriteResult;
  put(collection: string, rkey: string, value: Bytes, options: WireWriteOptions): PutResult;
  delete(collection: string, rkey: string, options: WireWriteOptions): CommitRef | undefined;
  /** Answers the commit whose tree it is, and the head under which a commit of it is expected. */
  checkout(at: string | CID | undefined): { readonly base: CID | undefined; readonly head: CID | undefined };
  commit(tree: TreeRef, options: WireWriteOptions): CommitRef | Gone;
  getBytes(path: string): Bytes | undefined;
  restore(path: string, at: string | CID, options: WireWriteOptions): PutResult;
  reset(target: string | CID, options: ResetOptions): ResetResult;
  recommit(rev: 'now', options: WireWriteOptions): RecommitResult;

  branchHead(name: string): Head | undefined;
  branchBase(name: string): Head | undefined;
  branchGet(name: string, collection: string, rkey: string): WireRecord | undefined;
  branchCollections(name: string): CollectionCount[];
  branchWrite(name: string, ops: readonly WireOp[], options: WireWriteOptions): WriteResult;
  branchPut(
    name: string,
    collection: string,
    rkey: string,
    value: Bytes,
    options: WireWriteOptions,
  ): { readonly uri: string; readonly cid: CID; readonly commit: CommitRef };
  branchDelete(name: string, collection: string, rkey: string, options: WireWriteOptions): CommitRef | undefined;
  branchDiscard(name: string): boolean;

  refs(): ReadonlyMap<string, CID>;
  getMeta(name: string): string | undefined;
  setMeta(name: string, value: string | undefined): void;
  setRef(name: string, target: string | CID): void;
  removeRef(name: string): boolean;
  importCar(source: WireSource, options: Omit<ImportOptions, keyof LongWork>): ImportResult;
  putBlob(source: WireSource, options: Omit<PutBlobRefOptions, 'signal'>): BlobRef;
  getBlob(cid: CID): Blob | undefined;
  verify(options: Omit<VerifyOptions, keyof LongWork>): VerifyReport;
  repair(options: Omit<RepairOptions, keyof LongWork>): RepairReport;
  gc(options: GarbageOptions): GarbageResult;

  treeGet(tree: TreeRef, collection: string, rkey: string): WireRecord | Gone | undefined;
  treeCollections(tree: TreeRef): CollectionCount[] | Gone;
  /** Keeps the edited tree as `key`; `false` when the edit changes nothing. */
  treeEdit(tree: TreeRef, edit: TreeEdit, key: number): boolean | Gone;

  /** Begins a list, under a number that the client has chosen. {@link GONE} is for a tree that the server forgot. */
  open(handle: number, list: OpenList): Page<unknown> | Gone;
  next(handle: number): Page<unknown> | Gone;
  leave(handle: number): void;

  /**
   * From now on this client hears of new heads. Told of the head that it knows (`null` for none), it first hears of
   * those that it missed. Answers the rev of the head.
   */
  subscribe(known: string | null | undefined): string | undefined;
  unsubscribe(): void;
}

/** What the server asks a client. */
export interface ClientMethods {
  /** The next piece of a source; `undefined` at its end. */
  pull(source: number): Bytes | undefined;
  /** Nothing more is wanted of a source. */
  cancel(source: number): void;
  sign(signer: number, bytes: Bytes): Uint8Array;
}

/** Where a browser keeps a repository. */
export type StorageKind = 'indexeddb' | 'opfs';

/** Where to keep a repository, or to look for it. */
export type WantedStorage = StorageKind | 'auto';

/** What a page wants of its worker. */
export type WorkerRequest =
  | { readonly do: 'exportFolder'; readonly name: string; readonly storage: WantedStorage }
  | { readonly do: 'importFolder'; readonly name: string; readonly storage: WantedStorage }
  | { readonly do: 'list' }
  | {
      readonly do: 'open';
      readonly name: string;
      /** Makes the repository, of this account. */
      readonly did?: string | undefined;
      readonly storage: WantedStorage;
      readonly waitMs: number;
    }
  | { readonly do: 'remove'; readonly name: string };

/** The first message to a worker, which may hear other things as well. It comes with a port on which it is answered. */
export interface WorkerGreeting {
  readonly pdsdb: typeof PROTOCOL_VERSION;
  /**
   * Names what the page wants among all tabs: a text that is nobody else's. Until it is done the worker holds the lock
   * of this name, see {@link memberLock}.
   */
  readonly member: string;
  readonly request: WorkerRequest;
}

/** What is known once somebody answers for the repository. */
export interface Attachment {
  /** Rises each time somebody else answers. What a page has sent under an older one is dropped, and asked again. */
  readonly generation: number;
  readonly did: string;
  /** Of the head. */
  readonly rev: string | undefined;
  readonly storage: StorageKind;
}

/** From a page to its worker. `leave` is for a page that goes out of sight, `return` for one that comes back. */
export type FromPage =
  | { readonly kind: 'close' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'message'; readonly generation: number; readonly message: Message }
  | { readonly kind: 'return' };

/** One file of a folder, as far as it is said before its bytes. */
export interface FileHead {
  readonly path: string;
  readonly size: number;
}

/** What a giver of a folder is asked, a file after the other, and each to its end. */
export interface FolderMethods {
  nextFile(): FileHead | undefined;
  /** The next bytes of the file; `undefined` at its end. */
  readFile(): Bytes | undefined;
  leave(): void;
}

/**
 * From a worker to its page. `begun` comes first, once the worker holds its lock. After `failed` and `closed` nothing
 * follows. `silent` is for when whoever has the files does not answer: the page waits no longer for what it has asked.
 */
export type FromWorker =
  | { readonly kind: 'attached'; readonly attachment: Attachment }
  | { readonly kind: 'begun' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'silent'; readonly error: ErrorData };

/**
 * Between the workers of several tabs, on a channel that all of them hear. `bye` is of one that closes, and is answered
 * when all that it has asked for has ended; `away` of one that may be frozen, and whom nobody is to wait for. A `ping`
 * is answered by whoever has the files.
 */
export type ChannelMessage =
  | { readonly kind: 'away'; readonly from: string; readonly to: string }
  | { readonly kind: 'bye'; readonly from: string; readonly to: string }
  | { readonly kind: 'hello'; readonly from: string }
  | {
      readonly kind: 'here';
      readonly from: string;
      readonly to?: string | undefined;
      readonly about: Omit<Attachment, 'generation'>;
    }
  | { readonly kind: 'message'; readonly from: string; readonly to: string; readonly message: Message }
  | { readonly kind: 'ping'; readonly from: string }
  | { readonly kind: 'pong'; readonly from: string; readonly to: string };

/** The lock of whoever has the files of a repository open. */
export const leaderLock = (storage: StorageKind, name: string): string => `pdsdb:leader:${storage}:${name}`;
/** The lock that a worker holds for as long as it is at what a page wants, so that others notice its end. */
export const memberLock = (member: string): string => `pdsdb:member:${member}`;
/** The channel of a repository. */
export const channelName = (storage: StorageKind, name: string): string =>
  `pdsdb:${PROTOCOL_VERSION}:${storage}:${name}`;
