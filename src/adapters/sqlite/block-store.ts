/** The blocks, refs, meta and history of a repository in `pds.db`. */
import type { Bytes } from '../../core/data/bytes.ts';
import { ChangeQueue } from '../../core/storage/change-queue.ts';
import type { CID, CidLike } from '../../core/data/cid.ts';
import { CID_LENGTH, cidTextToBytes, cidToText, decodeCid } from '../../core/data/cid.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { PackedBlocks } from '../../core/blocks/packed-blocks.ts';
import { PendingChange } from '../../core/storage/pending-change.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { BlockChange, BlockStore, CommitRange, ListingOptions, StoreSnapshot } from '../../core/storage/ports.ts';
import type { NamedBlock } from '../../core/blocks/block.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import { isTid } from '../../core/syntax/tid.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import type { IsBulk } from './bulk-writing.ts';
import { isBulk } from './bulk-writing.ts';
import { takeSnapshot } from './snapshot.ts';
import { cidKeys, junkRows, removeRows, soundRows } from './invalid-rows.ts';
import { keyOf } from './block-key.ts';
import type { KeyValueTable } from './key-value-table.ts';
import { LogFolding } from './checkpointer.ts';
import type { Schema, TablePrefix } from './schema.ts';
import type { StoreDatabase } from './store-database.ts';
import { applyTo, isCommitRow, isRefRow, readCid } from './row-values.ts';
import { decodeText, openTable } from './schema.ts';

export interface SqliteBlockStoreOptions {
  /**
   * When to write past the log; at 8 MiB that make the file many times as large when left out. Tests cut the power
   * there with less.
   */
  readonly isBulk?: IsBulk | undefined;
}

/**
 * A block store over SQLite. Reads do not wait for a change: they see its blocks as they come, and its removals, refs,
 * meta and commits when SQLite has committed. The removals of a change are done in one go at its end, while nothing
 * else runs: that takes tens of microseconds a block.
 *
 * A `run` that asks this store for a ref gets the committed one. One that awaits another change of this store, or its
 * closing, waits for ever.
 */
export class SqliteBlockStore implements BlockStore {
  /** The account that the repository belongs to. */
  readonly did: string;
  readonly #database: StoreDatabase;
  readonly #files: DatabaseFiles;
  readonly #blocks: KeyValueTable;
  readonly #commits: KeyValueTable;
  readonly #meta: KeyValueTable;
  readonly #refs: KeyValueTable;
  readonly #queue: ChangeQueue = new ChangeQueue();
  readonly #prefix: TablePrefix;
  #isFrozen = false;
  readonly #isBulk: IsBulk;
  readonly #folding: LogFolding;
  #closing: Promise<void> | undefined;
  /** Why the store is of no more use. */
  #failure: { readonly cause: unknown } | undefined;

  /** Use `openSqliteBlockStore` or `createSqliteBlockStore`: a schema is what they have checked. */
  constructor(
    database: StoreDatabase,
    files: DatabaseFiles,
    { did, prefix }: Schema,
    options: SqliteBlockStoreOptions = {},
  ) {
    this.did = did;
    this.#prefix = prefix;
    this.#database = database;
    this.#files = files;
    this.#isBulk = options.isBulk ?? isBulk;
    this.#folding = new LogFolding(database);
    this.#blocks = openTable(database, prefix, 'blocks');
    this.#commits = openTable(database, prefix, 'commits');
    this.#meta = openTable(database, prefix, 'meta');
    this.#refs = openTable(database, prefix, 'refs');
  }

  async get(cid: CidLike): Promise<Bytes | undefined> {
    this.#assertUsable();
    return this.#blocks.get(keyOf(cid));
  }

  async getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    this.#assertUsable();
    return cids.map((cid) => this.#blocks.get(keyOf(cid)));
  }

  async ref(name: string): Promise<CID | undefined> {
    this.#assertUsable();
    const value = this.#refs.get(name);
    return value && readCid(this.#refs, name, value);
  }

  async *refs({ lenient = false }: ListingOptions = {}): AsyncGenerator<[name: string, cid: CID]> {
    this.#assertUsable();
    for (const [name, value] of lenient ? soundRows(this.#database, this.#refs.name, isRefRow) : this.#refs.iterate()) {
      yield [name, readCid(this.#refs, name, value)];
      this.#assertUsable();
    }
  }

  async meta(key: string): Promise<string | undefined> {
    this.#assertUsable();
    const value = this.#meta.get(key);
    return value && decodeText(this.#meta, key, value);
  }

  async commit(rev: Tid): Promise<CID | undefined> {
    this.#assertUsable();
    const value = this.#commits.get(rev);
    return value && readCid(this.#commits, rev, value);
  }

  async *commits({
    lenient = false,
    ...range
  }: CommitRange & ListingOptions = {}): AsyncGenerator<[rev: Tid, cid: CID]> {
    this.#assertUsable();
    for (const [rev, value] of lenient
      ? soundRows(this.#database, this.#commits.name, isCommitRow)
      : this.#commits.iterate(range)) {
      if (!isTid(rev)) {
        throw new RepoError('Corrupt', `not a rev; table=${this.#commits.name} key=${rev.slice(0, 80)}`);
      }
      yield [rev, readCid(this.#commits, rev, value)];
      this.#assertUsable();
    }
  }

  async *cids({ lenient = false }: ListingOptions = {}): AsyncGenerator<CID> {
    this.#assertUsable();
    for (const key of lenient ? cidKeys(this.#database, this.#blocks.name) : this.#blocks.keys()) {
      const bytes = cidTextToBytes(key);
      if (bytes === undefined) {
        throw new RepoError(
          'Corrupt',
          `a block whose key is not a CID; table=${this.#blocks.name} key=${key.slice(0, 80)}`,
        );
      }
      yield decodeCid(bytes);
      this.#assertUsable();
    }
  }

  scan(maxBytes: number): AsyncIterable<PackedBlocks> | undefined {
    this.#assertUsable();
    return this.#fileSize() > maxBytes ? undefined : this.#scan();
  }

  async *#scan(): AsyncGenerator<PackedBlocks> {
    for (const { memory, keys, values, ends } of this.#blocks.scan()) {
      const blocks = new PackedBlocks(memory);
      for (let i = 0; i < keys.length; i++) {
        const start = values[i]!;
        const cid = cidTextToBytes(memory.subarray(keys[i], start));
        if (cid !== undefined) {
          // Over the end of its text, which is longer.
          memory.set(cid, start - CID_LENGTH);
          blocks.push(start, ends[i]!);
        }
      }
      yield blocks;
      this.#assertUsable();
    }
  }

  async count(): Promise<number> {
    this.#assertUsable();
    return this.#blocks.count();
  }

  async transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    this.#assertUsable();
    return this.#queue.run(() => this.#change(run));
  }

  async check(): Promise<readonly string[]> {
    this.#assertUsable();
    return this.#database.integrityCheck();
  }

  async junk(): Promise<readonly string[]> {
    this.#assertUsable();
    return junkRows(this.#database, this.#prefix).map(({ message }) => message);
  }

  async snapshot(): Promise<StoreSnapshot> {
    this.#assertUsable();
    return this.#queue.run(async () => {
      this.#assertUsable();
      if (this.#isFrozen) {
        throw new RepoError('Locked', 'a backup of the repository is being made');
      }
      const refs = new Map<string, CID>(
        [...this.#refs.iterate()].map(([name, value]) => [name, readCid(this.#refs, name, value)]),
      );
      const counts = { blocks: this.#blocks.count(), commits: this.#commits.count() };
      this.#isFrozen = true;
      const { file, release } = takeSnapshot(this.#database, this.#files, () => (this.#isFrozen = false));
      return { files: [file], refs, ...counts, release };
    });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #change<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    this.#assertNotFailed();
    const faults: unknown[] = [];
    const writing = <R>(write: () => R): R => {
      try {
        return write();
      } catch (error) {
        faults.push(error);
        throw error;
      }
    };
    let isUntouched = true;
    // In the order they come: sorting each call's rows by key first won nothing, at up to 400,000 rows.
    const add = ({ cid, bytes }: NamedBlock): boolean => this.#blocks.add(keyOf(cid), bytes);
    const change = new PendingChange({
      get: (cid) => this.#blocks.get(keyOf(cid)),
      add(blocks) {
        isUntouched = false;
        return writing(() => blocks.map(add));
      },
      expect: (bytes) => {
        if (isUntouched && this.#isBulk(bytes, this.#fileSize())) {
          writing(() => this.#database.writePlainly());
        }
      },
    });
    let answer: T;
    try {
      writing(() => this.#database.begin());
      answer = await run(change);
      if (faults.length > 0) {
        // A `run` that goes on after a failed `put` would commit a change with a hole in it.
        throw faults[0];
      }
      writing(() => this.#finish(change));
    } catch (error) {
      this.#undo();
      if (isRepoError(faults[0], 'StorageFailed')) {
        this.#failure ??= { cause: faults[0] };
      }
      throw error;
    } finally {
      change.end();
    }
    await this.#persist();
    this.#folding.soon();
    return answer;
  }

  #fileSize(): number {
    try {
      return this.#files.main.getSize();
    } catch (error) {
      throw toStorageError(error, 'asking for the size of the database');
    }
  }

  /** From here to the commit nothing is awaited: nobody sees a new ref that may yet be undone. */
  #finish(change: PendingChange): void {
    for (const key of change.removed) {
      this.#blocks.delete(key);
    }
    if (change.removesJunk) {
      // First: a row of this change may have the key of one that goes.
      removeRows(this.#database, junkRows(this.#database, this.#prefix));
    }
    applyTo(this.#refs, change.refs, cidToText);
    applyTo(this.#meta, change.meta, String);
    applyTo(this.#commits, change.commits, cidToText);
    this.#database.commit();
  }

  #undo(): void {
    try {
      // After a full disk SQLite has rolled back by itself.
      if (this.#database.inTransaction) {
        this.#database.rollback();
      }
    } catch (cause) {
      // The caller hears why the change ended; everybody after it hears of this.
      this.#failure ??= { cause };
    }
  }

  async #persist(): Promise<void> {
    try {
      await this.#files.persist();
    } catch (cause) {
      // What is in memory and what is in the storage have parted ways.
      this.#failure ??= { cause };
      throw isRepoError(cause, 'StorageFull')
        ? cause
        : new RepoError('StorageFailed', 'the change could not be made durable', { cause });
    }
  }

  async #close(): Promise<void> {
    this.#folding.end();
    await this.#queue.idle();
    try {
      for (const table of [this.#blocks, this.#commits, this.#meta, this.#refs]) {
        table.close();
      }
      this.#database.close();
      if (this.#failure === undefined) {
        await this.#files.persist();
      }
    } finally {
      await this.#files.close();
    }
  }

  #assertUsable(): void {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', `the repository is closed; did=${this.did}`);
    }
    this.#assertNotFailed();
  }

  #assertNotFailed(): void {
    if (this.#failure !== undefined) {
      throw new RepoError(
        'StorageFailed',
        'the storage has failed: close the repository and open it again',
        this.#failure,
      );
    }
  }
}
