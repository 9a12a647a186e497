/** The blocks, refs, meta and history of a repository in `pds.db`. */
import { isRepoError, RepoError } from '../../core/errors.ts';
import { ChangeQueue } from '../../core/storage/change-queue.ts';
import { CheckedReader } from '../../core/storage/checked-reader.ts';
import { PendingChange } from '../../core/storage/pending-change.ts';
import type { BlockChange, BlockStore, ChangeMaintenance, StoreMaintenance } from '../../core/storage/ports.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { Checkpointer } from './checkpointer.ts';
import type { MaintainedStore } from './maintenance.ts';
import { createChangeMaintenance, createMaintenance } from './maintenance.ts';
import type { Schema } from './schema.ts';
import type { StoreDatabase } from './store-database.ts';
import { StoreTables } from './store-tables.ts';

/** Whether a bulk write of so many bytes of blocks bypasses the WAL, for a file of this size. */
export type IsBulk = (bytes: number, fileSize: number) => boolean;

/**
 * What is in the file goes into a journal where it changes, and leaving the WAL and coming back takes some ten flushes.
 * See `Database.bypassLog`.
 */
export const isBulk: IsBulk = (bytes, fileSize) => bytes >= 8 * 1024 * 1024 && bytes >= 4 * fileSize;

export interface SqliteBlockStoreOptions {
  /**
   * When to bypass the WAL; when left out, at 8 MiB that make the file many times as large. Tests cut the power there
   * with less.
   */
  readonly isBulk?: IsBulk | undefined;
  /** Whether the database cannot be written to. */
  readonly isReadOnly?: boolean | undefined;
}

/** A change whose maintenance is that of its store. */
class SqliteChange extends PendingChange {
  maintenance: ChangeMaintenance | undefined;
}

/**
 * A block store over SQLite. Reads do not wait for a change: they see its blocks as they come, and its removals, refs,
 * meta and commits when SQLite has committed. The removals of a change are done in one go at its end, while nothing
 * else runs: that takes tens of microseconds a block.
 *
 * A `run` that waits for another change of this store, or for its closing, waits for ever.
 */
export class SqliteBlockStore extends CheckedReader implements BlockStore {
  readonly exclusive = true;
  /** The account that the repository belongs to. */
  readonly did: string;
  readonly maintenance: StoreMaintenance;
  readonly #database: StoreDatabase;
  readonly #files: DatabaseFiles;
  readonly #tables: StoreTables;
  readonly #maintained: MaintainedStore;
  readonly #queue: ChangeQueue = new ChangeQueue();
  readonly #isBulk: IsBulk;
  readonly #checkpointer: Checkpointer;
  #closing: Promise<void> | undefined;
  /** Why the store is of no more use. */
  #failure: { readonly cause: unknown } | undefined;

  /** Use `openSqliteBlockStore` or `createSqliteBlockStore`: a schema is what they have checked. */
  constructor(
    database: StoreDatabase,
    files: DatabaseFiles,
    { did, prefix, others }: Schema,
    options: SqliteBlockStoreOptions = {},
  ) {
    const tables = new StoreTables(database, prefix);
    super(tables, () => this.#assertUsable());
    this.did = did;
    this.#database = database;
    this.#files = files;
    this.#tables = tables;
    this.#isBulk = options.isBulk ?? isBulk;
    this.#checkpointer = new Checkpointer(database);
    this.#maintained = {
      database,
      files,
      tables,
      prefix,
      others,
      fileSize: () => this.#fileSize(),
      persist: () => this.#persist(),
      failed: (error) => this.#noteFailure(error),
      betweenChanges: (work) => this.#queue.run(work),
    };
    this.maintenance = createMaintenance(this.#maintained, () => this.#assertUsable());
  }

  async count(): Promise<number> {
    this.#assertUsable();
    return this.#tables.table.blocks.count();
  }

  async transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    this.#assertUsable();
    return this.#queue.run(() => this.#change(run));
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
    const write = <R>(run: () => R): R => {
      isUntouched = false;
      return writing(run);
    };
    const tables = this.#tables;
    const change = new SqliteChange({
      get: (cid) => tables.get(cid),
      getMany: (cids) => tables.getMany(cids),
      ref: (name) => tables.ref(name),
      refs: () => tables.refs(),
      meta: (name) => tables.meta(name),
      metaEntries: (prefix) => tables.metaEntries(prefix),
      commit: (rev) => tables.commit(rev),
      commits: (range) => tables.commits(range),
      cids: () => tables.cids(),
      add: (blocks) => write(() => tables.add(blocks)),
    });
    change.maintenance = createChangeMaintenance(this.#maintained, change, {
      expect: (bytes) => {
        if (isUntouched && this.#isBulk(bytes, this.#fileSize())) {
          writing(() => this.#database.bypassLog());
        }
      },
      write,
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
      this.#noteFailure(faults[0]);
      throw error;
    } finally {
      change.end();
    }
    await this.#persist();
    this.#checkpointer.soon();
    return answer;
  }

  #noteFailure(error: unknown): void {
    if (isRepoError(error, 'StorageFailed')) {
      this.#failure ??= { cause: error };
    }
  }

  #fileSize(): number {
    try {
      return this.#files.main.getSize();
    } catch (error) {
      throw toStorageError(error, 'asking for the size of the database');
    }
  }

  /** From here to the commit nothing is awaited: no reader sees a new ref that may yet be undone. */
  #finish({ pending }: PendingChange): void {
    this.#tables.removeBlocks(pending);
    this.#tables.writeNames(pending);
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
    this.#checkpointer.end();
    await this.#queue.idle();
    try {
      this.#tables.close();
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
