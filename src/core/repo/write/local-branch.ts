/** A branch of a repository in the same place. */
import type { Branch, BranchWriteOptions, RebaseOptions, RebaseResult } from '../branch.ts';
import type { CommitRef, Head, WriteOp, WriteResult } from '../commits.ts';
import { readPinned, withPinned } from '../care/pins.ts';
import type { RepoParts } from '../open-parts.ts';
import { messageKey } from '../store-names.ts';
import { partsIn } from '../open-parts.ts';
import { readHead } from '../read/head.ts';
import { viewOf } from '../read/head-view.ts';
import { changesBetween } from '../read/history.ts';
import { RecordMethods } from '../record-methods.ts';
import type { View } from '../read/records.ts';
import { listCollections } from '../read/collection-counts.ts';
import { findManyRecords } from '../read/many-records.ts';
import { findRecord, listEntries, listRecords } from '../read/records.ts';
import type {
  CollectionCount,
  FoundRecord,
  ListOptions,
  RecordChange,
  RecordEntry,
  RecordValue,
  TreeEntry,
} from '../tree.ts';
import type { BranchEnds } from './branch-line.ts';
import { assertBranchName, baseRef, branchLine, readBranch } from './branch-line.ts';
import { assertWriteOptions } from './argument-checks.ts';
import type { Line } from './line.ts';
import { rebaseBranch } from './rebase.ts';
import { deleteRecord, putRecord, writeOps } from './write.ts';

export class LocalBranch extends RecordMethods implements Branch {
  readonly name: string;
  readonly #parts: () => RepoParts;
  readonly #line: Line;

  /** @param parts Throws after the repository is closed. */
  constructor(name: string, parts: () => RepoParts) {
    super();
    assertBranchName(name);
    this.name = name;
    this.#parts = parts;
    this.#line = branchLine(name);
  }

  async head(): Promise<Head | undefined> {
    return (await this.#ends())?.head;
  }

  async base(): Promise<Head | undefined> {
    return (await this.#ends())?.base;
  }

  override async get(collection: string, rkey: string): Promise<FoundRecord | undefined> {
    return this.#read((view) => findRecord(view, collection, rkey));
  }

  async getMany(paths: readonly string[]): Promise<(FoundRecord | undefined)[]> {
    return this.#read((view) => findManyRecords(view, paths));
  }

  override async *list(collection?: string | ListOptions, options?: ListOptions): AsyncGenerator<RecordEntry> {
    yield* this.#list((view) => listRecords(view, collection, options));
  }

  async *entries(collection?: string, options?: ListOptions): AsyncGenerator<TreeEntry> {
    yield* this.#list((view) => listEntries(view, collection, options));
  }

  async collections(): Promise<CollectionCount[]> {
    return this.#read((view) => listCollections(this.#parts(), view));
  }

  async put(
    collection: string,
    rkey: string,
    value: RecordValue | Uint8Array,
    options?: BranchWriteOptions,
  ): Promise<{ readonly uri: string; readonly cid: Head['cid']; readonly commit: CommitRef }> {
    assertWriteOptions(options);
    const { uri, cid, commit } = await putRecord(this.#parts(), collection, rkey, value, options, this.#line);
    return { uri, cid, commit };
  }

  async delete(collection: string, rkey: string, options?: BranchWriteOptions): Promise<CommitRef | undefined> {
    assertWriteOptions(options);
    return deleteRecord(this.#parts(), collection, rkey, options, this.#line);
  }

  override async write(ops: readonly WriteOp[], options?: BranchWriteOptions): Promise<WriteResult> {
    assertWriteOptions(options, ops);
    return writeOps(this.#parts(), ops, options, this.#line);
  }

  async *diff(): AsyncGenerator<RecordChange> {
    const parts = this.#parts();
    yield* readPinned(
      parts.pins,
      async () => {
        const ends = await this.#ends();
        return [ends?.base, ends?.head] as const;
      },
      ([base, head]) => changesBetween(parts, base?.data, head?.data),
    );
  }

  async rebase(options?: RebaseOptions): Promise<RebaseResult> {
    return rebaseBranch(this.#parts(), this.name, options);
  }

  async discard(): Promise<boolean> {
    const parts = this.#parts();
    return parts.store.transact(async (change) => {
      const ends = await readBranch(partsIn(parts, change), this.name);
      if (ends === undefined) {
        return false;
      }
      await change.setRef(this.name, undefined);
      await change.setRef(baseRef(this.name), undefined);
      await change.setMeta(messageKey(ends.head.cid), undefined);
      return true;
    });
  }

  async #ends(): Promise<BranchEnds | undefined> {
    return readBranch(this.#parts(), this.name);
  }

  /** Returns the head of the branch. Before its first commit, returns the head of the repository. */
  async #state(): Promise<readonly [Head | undefined]> {
    const ends = await this.#ends();
    return [ends === undefined ? await readHead(this.#parts()) : ends.head];
  }

  async #read<T>(read: (view: View) => Promise<T>): Promise<T> {
    const parts = this.#parts();
    return withPinned(
      parts.pins,
      () => this.#state(),
      ([state]) => read(viewOf(parts, state)),
    );
  }

  #list<T>(read: (view: View) => AsyncIterable<T>): AsyncGenerator<T> {
    const parts = this.#parts();
    return readPinned(
      parts.pins,
      () => this.#state(),
      ([state]) => read(viewOf(parts, state)),
    );
  }
}
