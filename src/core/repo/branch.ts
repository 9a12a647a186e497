/** Commits beside the account's history. */
import type {
  CommitRef,
  CreateRecordOptions,
  CreateResult,
  Head,
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
  TreeEntry,
} from './tree.ts';
import type { CollectionName, JsonRecord, RecordInput } from './typed-records.ts';

/** Commits of a branch are not signed. */
export type BranchWriteOptions = Omit<WriteOptions, 'allowOtherKey' | 'signer'>;

/**
 * Work on top of a commit of the head's history, which nobody else sees: two refs, `<name>` for its head and
 * `<name>.base` for the commit that it began from. It begins with its first write, at the head of that time. Until then
 * its reads show the head.
 *
 * Its writes give the guarantees of those of the repository: each is one commit, durable once the call resolves. Only
 * the newest one is kept. `Repo.checkout`, `diff`, `verify` and `exportCar` accept its name.
 */
export interface Branch {
  readonly name: string;
  /** The newest commit of the branch, or `undefined` before its first one. */
  head(): Promise<Head | undefined>;
  /** The commit that the branch began from, or `undefined` before its first write. */
  base(): Promise<Head | undefined>;
  /** As {@link Repo.get}. */
  get(collection: string, rkey: string): Promise<FoundRecord | undefined>;
  /** As {@link Repo.list}. */
  list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry>;
  /** As {@link Repo.getJson}. */
  getJson<C extends CollectionName>(collection: C, rkey: string): Promise<JsonRecord<C> | undefined>;
  /** As {@link Repo.listJson}. */
  listJson<C extends CollectionName>(collection?: C | ListOptions, options?: ListOptions): AsyncIterable<JsonRecord<C>>;
  /** The keys of one collection, or of all of them, without reading a record. */
  entries(collection?: string, options?: ListOptions): AsyncIterable<TreeEntry>;
  collections(): Promise<CollectionCount[]>;
  /** As {@link Repo.create}; no signer is needed. */
  create<C extends CollectionName>(
    collection: C,
    value: RecordInput<C>,
    options?: Omit<CreateRecordOptions, 'allowOtherKey' | 'signer'>,
  ): Promise<CreateResult>;
  /** As {@link Repo.put}; `swapCommit` is about the branch's head. No signer is needed. */
  put(
    collection: string,
    rkey: string,
    value: RecordValue | Uint8Array,
    options?: BranchWriteOptions,
  ): Promise<{ readonly uri: string; readonly cid: Head['cid']; readonly commit: CommitRef }>;
  /** As {@link Repo.delete}. */
  delete(collection: string, rkey: string, options?: BranchWriteOptions): Promise<CommitRef | undefined>;
  /**
   * As {@link Repo.write}.
   * @throws {RepoError} `InvalidRef` when there is a ref of that name that is not a branch.
   */
  write(ops: readonly WriteOp[], options?: BranchWriteOptions): Promise<WriteResult>;
  /** What the branch changes, from its base to its head, in key order. */
  diff(): AsyncIterable<RecordChange>;
  /** Removes the branch; `false` when there was none. Its blocks stay until `gc`. */
  discard(): Promise<boolean>;
}
