/** Branches: commits beside the account's history. */
import type { CID } from '../data/cid.ts';
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

export interface RebaseOptions {
  /**
   * For paths that both the branch and the head have changed: `stop` changes nothing, `ours` takes the value of the
   * branch, `theirs` that of the head. Default: `stop`.
   */
  readonly onConflict?: 'ours' | 'stop' | 'theirs' | undefined;
}

/** The values of a path that both the branch and the head have changed; `undefined` where there is no record. */
export interface RebaseConflict {
  /** `collection/rkey` */
  readonly path: string;
  readonly base: CID | undefined;
  readonly ours: CID | undefined;
  readonly theirs: CID | undefined;
}

export interface RebaseResult {
  /** The new head of the branch, or `undefined` if the branch stays as it is. */
  readonly commit: CommitRef | undefined;
  /** Paths at which the head has the value of the branch already. In key order. */
  readonly absorbed: readonly string[];
  /** In key order. */
  readonly conflicts: readonly RebaseConflict[];
}

/**
 * Local work on top of a commit of the head's history. A branch consists of two refs: `<name>` is its head,
 * `<name>.base` the commit that it started from. The first write starts it at the current head. Before that, its reads
 * return the repository's head.
 *
 * Each write is one commit, durable once the call resolves. Only the newest commit is kept. `Repo.checkout`, `diff`,
 * `verify` and `exportCar` accept the name of a branch.
 */
export interface Branch {
  readonly name: string;
  /** Returns the newest commit of the branch, or `undefined` before its first write. */
  head(): Promise<Head | undefined>;
  /** Returns the commit that the branch started from, or `undefined` before its first write. */
  base(): Promise<Head | undefined>;
  /** As {@link Repo.get}. */
  get(collection: string, rkey: string): Promise<FoundRecord | undefined>;
  /** As {@link Repo.getMany}. */
  getMany(paths: readonly string[]): Promise<(FoundRecord | undefined)[]>;
  /** As {@link Repo.list}. */
  list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry>;
  /** As {@link Repo.getJson}. */
  getJson<C extends CollectionName>(collection: C, rkey: string): Promise<JsonRecord<C> | undefined>;
  /** As {@link Repo.listJson}. */
  listJson<C extends CollectionName>(collection?: C | ListOptions, options?: ListOptions): AsyncIterable<JsonRecord<C>>;
  /** Lists the keys of one collection or of all collections. Reads no record. */
  entries(collection?: string, options?: ListOptions): AsyncIterable<TreeEntry>;
  collections(): Promise<CollectionCount[]>;
  /** As {@link Repo.create}, without a signer. */
  create<C extends CollectionName>(
    collection: C,
    value: RecordInput<C>,
    options?: Omit<CreateRecordOptions, 'allowOtherKey' | 'signer'>,
  ): Promise<CreateResult>;
  /** As {@link Repo.put}, without a signer. `swapCommit` compares with the branch's head. */
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
   * @throws {RepoError} `InvalidRef` when a ref has this name and is not a branch.
   */
  write(ops: readonly WriteOp[], options?: BranchWriteOptions): Promise<WriteResult>;
  /** Lists the changes from the base of the branch to its head, in key order. */
  diff(): AsyncIterable<RecordChange>;
  /**
   * Makes the current head of the repository the base of the branch, and applies the changes of the branch to it, in
   * one commit. Does nothing if the head is the base already, or before the first write.
   *
   * A change contradicts the head if the head has neither the value of the base nor that of the branch at the path.
   * With `onConflict: 'stop'`, the branch then stays as it is.
   * @throws {RepoError} `BlockNotFound`, `Corrupt` when a block is missing or damaged; `StorageFull`, `StorageFailed`.
   */
  rebase(options?: RebaseOptions): Promise<RebaseResult>;
  /** Removes the branch and returns `true`, or returns `false` if it does not exist. Its blocks stay until `gc`. */
  discard(): Promise<boolean>;
}
