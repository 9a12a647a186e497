/**
 * The methods of a repository, with what its wrappers have to know of them. The wire to a worker and the read-only
 * wrapper are generated from these tables. A new method does not compile before it is in its table, or is named among
 * those that the wrappers have themselves.
 */
import { compareText } from '../data/bytes.ts';
import type { Branch } from './branch.ts';
import type { RecordMethods } from './record-methods.ts';
import type { LogEntry, MissingBlob, RecordChange, Repo, StoredBlob } from './repo.ts';
import type { RepoMeta } from './write/meta.ts';

/** The position of an entry in a list, compared to another one: below 0 for before it, and 0 for the same. */
export type Compare<T> = (entry: T, other: T) => number;

/**
 * What a method does, and what happens when the worker that runs it is replaced by another one:
 *
 * - `read`: it changes nothing. The call is repeated.
 * - `write`: its options have a `request`. The call is repeated under the same name, and applied once.
 * - `once`: any other change. The call rejects with `OutcomeUnknown`.
 * - `list`: returns entries in the order of `compare`. The list continues after its last entry.
 * - `bytes`: returns a stream of bytes, which continues while the head is the same.
 * - `files`: returns files. The iteration fails.
 */
export interface Entry {
  readonly way: 'bytes' | 'files' | 'list' | 'once' | 'read' | 'write';
  /** The index of the options among the parameters. */
  readonly options?: number | undefined;
  readonly compare?: Compare<never> | undefined;
}

/** Every method of `T` but those that a wrapper makes of other methods. */
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

/** What reads the records of one state, and what {@link RecordMethods} makes of other methods. */
type OwnReads = 'collections' | 'create' | 'get' | 'getJson' | 'getMany' | 'list' | 'listJson';

export type OwnOfRepo =
  | OwnReads
  | typeof Symbol.asyncDispose
  | 'branch'
  | 'checkout'
  | 'close'
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
  exportBlocks: read(),
  commitEvent: read(),
  applyEvent: write(1),
  restore: write(2),
  delete: write(2),
  commit: write(1),
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
  rebase: once(0),
  discard: once(),
};
