/** A `Branch` on the client's side. */
import type { Branch, BranchWriteOptions } from '../../core/repo/branch.ts';
import type { CommitRef, Head, WriteOp, WriteResult } from '../../core/repo/commits.ts';
import { recordPath } from '../../core/repo/path.ts';
import { RecordMethods } from '../../core/repo/record-methods.ts';
import type {
  CollectionCount,
  FoundRecord,
  ListOptions,
  RecordChange,
  RecordEntry,
  RecordValue,
  TreeEntry,
} from '../../core/repo/tree.ts';
import { assertBranchName } from '../../core/repo/write/branch-line.ts';
import { assertWriteOptions } from '../../core/repo/write/argument-checks.ts';
import type { ClientCalls } from './client-calls.ts';
import type { ListServer } from './client-lists.ts';
import { byPath, walkList } from './client-lists.ts';
import type { TreeServer } from './client-tree.ts';
import { foundRecord } from './client-tree.ts';
import { listEntries, listRecords } from './client-tree-lists.ts';

/** What a branch asks with. */
export interface BranchServer {
  readonly calls: ClientCalls;
  readonly lists: ListServer;
  readonly trees: TreeServer;
}

/** Revs of a branch say nothing about those of the head. */
const noRev = (): undefined => undefined;

export class RemoteBranch extends RecordMethods implements Branch {
  readonly name: string;
  readonly #server: BranchServer;

  constructor(name: string, server: BranchServer) {
    super();
    assertBranchName(name);
    this.name = name;
    this.#server = server;
  }

  async head(): Promise<Head | undefined> {
    return this.#server.calls.call('branchHead', [this.name]);
  }

  async base(): Promise<Head | undefined> {
    return this.#server.calls.call('branchBase', [this.name]);
  }

  override async get(collection: string, rkey: string): Promise<FoundRecord | undefined> {
    const found = await this.#server.calls.call('branchGet', [this.name, collection, rkey]);
    return found && foundRecord(found);
  }

  override list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry> {
    return listRecords(this.#server.trees, { branch: this.name }, collection, options);
  }

  entries(collection?: string, options?: ListOptions): AsyncIterable<TreeEntry> {
    return listEntries(this.#server.trees, { branch: this.name }, collection, options);
  }

  async collections(): Promise<CollectionCount[]> {
    return this.#server.calls.call('branchCollections', [this.name]);
  }

  async put(
    collection: string,
    rkey: string,
    value: RecordValue | Uint8Array,
    options: BranchWriteOptions = {},
  ): Promise<{ readonly uri: string; readonly cid: Head['cid']; readonly commit: CommitRef }> {
    recordPath(collection, rkey);
    assertWriteOptions(options);
    const bytes = this.#server.calls.writes.encodeRecord(collection, value);
    return this.#server.calls.write('branchPut', (wire) => [this.name, collection, rkey, bytes, wire], options, noRev);
  }

  async delete(collection: string, rkey: string, options: BranchWriteOptions = {}): Promise<CommitRef | undefined> {
    assertWriteOptions(options);
    return this.#server.calls.write('branchDelete', (wire) => [this.name, collection, rkey, wire], options, noRev);
  }

  override async write(ops: readonly WriteOp[], options: BranchWriteOptions = {}): Promise<WriteResult> {
    assertWriteOptions(options, ops);
    const { calls } = this.#server;
    const encoded = calls.writes.encode(ops);
    return calls.write('branchWrite', (wire) => [this.name, encoded, wire], options, noRev);
  }

  diff(): AsyncIterable<RecordChange> {
    const { lists, trees } = this.#server;
    return walkList<RecordChange>(lists, trees.newKey(), { of: 'branchDiff', branch: this.name }, byPath);
  }

  async discard(): Promise<boolean> {
    return this.#server.calls.call('branchDiscard', [this.name], { moved: 'lost', changes: true });
  }
}
