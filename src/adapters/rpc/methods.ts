/**
 * The methods of a repository, each with the way in which it crosses the wire. The client and the server generate from
 * these tables what only passes calls through. A new method does not compile before it is in its table, or is named as
 * the client's own and the client has it.
 */
import { compareText } from '../../core/data/bytes.ts';
import type { CID } from '../../core/data/cid.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { Branch } from '../../core/repo/branch.ts';
import type {
  CollectionCount,
  CommitRef,
  HeadChange,
  ListOptions,
  LogEntry,
  MissingBlob,
  RecordChange,
  Repo,
  RepoInfo,
  StoredBlob,
} from '../../core/repo/repo.ts';
import type { StoredRecord } from '../../core/repo/stored-records.ts';
import type { RepoMeta } from '../../core/repo/write/meta.ts';
import type { Page } from './streams.ts';

/** The position of an entry in a list, compared to another one: below 0 for before it, and 0 for the same. */
export type Compare<T> = (entry: T, other: T) => number;

/**
 * How a call crosses, and what happens when another worker takes over before the reply:
 *
 * - `read`: the call is sent again.
 * - `write`: the call is sent again under the same name, and applied once.
 * - `once`: the call rejects with `OutcomeUnknown`.
 * - `list`: the reply is a stream of entries in the order of `compare`. The list continues after its last entry.
 * - `bytes`: the reply is a stream of bytes, which continues while the head is the same.
 * - `files`: the reply is a stream of files, which fails.
 */
export interface Entry {
  readonly way: 'bytes' | 'files' | 'list' | 'once' | 'read' | 'write';
  /** The index of the options among the parameters. */
  readonly options?: number | undefined;
  readonly compare?: Compare<never> | undefined;
}

/** Every method of `T` but those that the client makes of other calls. */
export type Table<T, Own extends keyof T> = Readonly<Record<Exclude<keyof T, Own>, Entry>>;

const read = (options?: number): Entry => ({ way: 'read', options });
const write = (options: number): Entry => ({ way: 'write', options });
const once = (options?: number): Entry => ({ way: 'once', options });
const list = <T>(compare: Compare<T>): Entry => ({ way: 'list', compare });

const byName: Compare<[name: string, value: string]> = ([a], [b]) => compareText(a, b);
const byCid: Compare<StoredBlob> = (a, b) => compareText(String(a.cid), String(b.cid));
const byPath: Compare<RecordChange> = (a, b) => compareText(`${a.collection}/${a.rkey}`, `${b.collection}/${b.rkey}`);
const newestFirst: Compare<LogEntry> = (a, b) => compareText(b.rev, a.rev);
/** The blobs of one record have no order: all up to the one that was returned last compare as before it. */
const byUri: Compare<MissingBlob> = (a, b) => compareText(a.uri, b.uri) || (String(a.cid) === String(b.cid) ? 0 : -1);

/** What reads the records of one state, see {@link At}, and what the classes of the core make of other methods. */
type OwnReads = 'collections' | 'create' | 'get' | 'getJson' | 'list' | 'listJson';

export type OwnOfRepo =
  | OwnReads
  | typeof Symbol.asyncDispose
  | 'branch'
  | 'checkout'
  | 'close'
  | 'commit'
  | 'did'
  | 'info'
  | 'meta'
  | 'onChange'
  | 'watch';

export const REPO: Table<Repo, OwnOfRepo> = {
  head: read(),
  write: write(1),
  put: write(3),
  getBytes: read(),
  proveRecord: read(),
  commitEvent: read(),
  applyEvent: write(1),
  restore: write(2),
  delete: write(2),
  log: list(newestFirst),
  diff: list(byPath),
  reset: once(1),
  recommit: once(0),
  refs: read(),
  setRef: once(),
  removeRef: once(),
  importCar: write(1),
  exportCar: { way: 'bytes', options: 0 },
  putBlob: write(1),
  getBlob: read(),
  blobs: list(byCid),
  missingBlobs: list(byUri),
  verify: read(0),
  repair: once(0),
  backup: { way: 'files', options: 0 },
  gc: once(0),
};

export const META: Table<RepoMeta, never> = { get: read(), set: once(), list: list(byName) };

export type OwnOfBranch = OwnReads | 'entries' | 'name';

export const BRANCH: Table<Branch, OwnOfBranch> = {
  head: read(),
  base: read(),
  put: write(3),
  delete: write(2),
  write: write(1),
  diff: list(byPath),
  discard: once(),
};

/** One edit of a tree; without bytes, a deletion. */
export interface TreeEdit {
  readonly collection: string;
  readonly rkey: string;
  readonly value: Bytes | undefined;
}

/**
 * A tree of `checkout`: a commit, and edits on top of it. The server keeps the last ones under their keys. A call about
 * one that it does not have rejects with `goneError`, and the client sends the edits.
 */
export interface TreeRef {
  /** `undefined` for the tree before the first commit. */
  readonly base: CID | undefined;
  /** Of an edited tree. */
  readonly key?: number | undefined;
  readonly edits?: readonly TreeEdit[] | undefined;
}

/** A state of the records: of a tree, of a branch's head, or of the head. */
export type At = TreeRef | { readonly branch: string } | undefined;

/** A page of a list of records or keys. */
export interface RecordPage extends Page<unknown> {
  /** The commit that the first page shows. The cursor of the next page is its last key, under this commit. */
  readonly base: CID | undefined;
}

/** The calls to a server that no table generates. */
export interface ServerMethods {
  /** Returns the DID, and the rev of the head. */
  about(): { readonly did: string; readonly rev: string | undefined };
  info(): RepoInfo;
  /** The record's bytes, which the client decodes. */
  get(at: At, collection: string, rkey: string): StoredRecord | undefined;
  collections(at: At): CollectionCount[];
  /**
   * A page of records as they are stored, or of keys. The server keeps the state of a list until its last page, or
   * `leave`.
   * @param list A number that the client has chosen for the list.
   */
  page(list: number, at: At, of: 'entries' | 'list', collection: string | undefined, options: ListOptions): RecordPage;
  leave(list: number): void;
  /** Returns the commit whose tree it is, and the head under which a commit of it is expected. */
  checkout(at: string | CID | undefined): { readonly base: CID | undefined; readonly head: CID | undefined };
  commit(tree: TreeRef, options: object): CommitRef;
  /** Keeps the edited tree as `key`; `false` when the edit changes nothing. */
  edit(tree: TreeRef, edit: TreeEdit, key: number): boolean;
  /**
   * From now on this client hears of new heads. If the head that it knows is given (`null` for none), it first hears of
   * the heads that it missed. Returns the rev of the head.
   */
  subscribe(known: string | null | undefined): string | undefined;
  unsubscribe(): void;
}

/** The calls to a client. */
export interface ClientMethods {
  /** Tells a client that has subscribed of a new head. */
  change(change: HeadChange): void;
}
