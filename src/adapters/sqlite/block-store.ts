/** The blocks, refs, meta and history of a repository in `pds.db`. */
import { isRepoError, RepoError } from '../../core/errors.ts';
import { ChangeQueue } from '../../core/storage/change-queue.ts';
import { CheckedReader } from '../../core/storage/checked-reader.ts';
import { PendingChange } from '../../core/storage/pending-change.ts';
import type { BlockChange, BlockStore, ChangeMaintenance } from '../../core/storage/ports.ts';
import { readsOf } from '../../core/storage/reads-of.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { Checkpointer } from './checkpointer.ts';
import type { FullMaintenance, MaintainedStore } from './maintenance.ts';
import { createChangeMaintenance, createMaintenance } from './maintenance.ts';
import type { Schema } from './schema.ts';
import type { StoreDatabase } from './store-database.ts';
import { StoreTables } from './store-tables.ts';

/** Whether a bulk write of `bytes` bytes of blocks bypasses the WAL, for a file of `fileSize` bytes. */
export type IsBulk = (bytes: number, fileSize: number) => boolean;

/**
 * Without the WAL, a rollback journal saves each changed page of the old file. Leaving the WAL and returning to it
 * takes about ten flushes. See `Database.bypassLog`.
 */
export const isBulk: IsBulk = (bytes, fileSize) => bytes >= 8 * 1024 * 1024 && bytes >= 4 * fileSize;

export interface SqliteBlockStoreOptions {
  /**
   * When to bypass the WAL. Default: {@link isBulk}. Tests of power cuts bypass it for less data.
   */
  readonly isBulk?: IsBulk | undefined;
  /** Whether the database cannot be written to. */
  readonly isReadOnly?: boolean | undefined;
}

class SqliteChange extends PendingChange {
  maintenance: ChangeMaintenance | undefined;
}

/**
 * A block store over SQLite. Reads do not wait for a change. They see its blocks as soon as they are put, and its
 * removals, refs, meta and commits after SQLite's commit. A change removes its blocks in one synchronous step at its
 * end, which takes tens of microseconds per block.
 *
 * A `run` that awaits another change of this store, or its `close`, never ends.
 */
export class SqliteBlockStore extends CheckedReader implements BlockStore {
  readonly exclusive = true;
  /** The account that the repository belongs to. */
  readonly did: string;
  readonly maintenance: FullMaintenance;
  readonly #database: StoreDatabase;
  readonly #files: DatabaseFiles;
  readonly #tables: StoreTables;
  readonly #maintained: MaintainedStore;
  readonly #queue: ChangeQueue = new ChangeQueue();
  readonly #isBulk: IsBulk;
  readonly #checkpointer: Checkpointer;
  #closing: Promise<void> | undefined;
  /** Set when the storage has failed. Every later call rejects. */
  #failure: { readonly cause: unknown } | undefined;

  /** Use `openSqliteBlockStore` or `createSqliteBlockStore`, which check the schema. */
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
    return this.#tables.blockCount.get();
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
      ...readsOf(tables),
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
    let result: T;
    try {
      writing(() => this.#database.begin());
      tables.begin();
      result = await run(change);
      if (faults.length > 0) {
        // If `run` ignores a failed `put`, a commit would lack a block.
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
    return result;
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
      throw toStorageError(error, 'reading the size of the database');
    }
  }

  /** Does not await before the commit, so that no reader sees a ref that may still be rolled back. */
  #finish({ pending }: PendingChange): void {
    this.#tables.removeBlocks(pending);
    this.#tables.writeNames(pending);
    this.#database.commit();
  }

  #undo(): void {
    try {
      // When the disk is full, SQLite has already rolled back.
      if (this.#database.inTransaction) {
        this.#database.rollback();
      }
      this.#tables.undo();
    } catch (cause) {
      // The caller gets the error that ended the change; every later call gets this one.
      this.#failure ??= { cause };
    }
  }

  async #persist(): Promise<void> {
    try {
      await this.#files.persist();
    } catch (cause) {
      // Memory and storage now differ.
      this.#failure ??= { cause };
      throw isRepoError(cause, 'StorageFull')
        ? cause
        : new RepoError(
            'StorageFailed',
            `cannot make the change durable: close the repository and open it again; did=${this.did}`,
            { cause },
          );
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
      throw new RepoError('Closed', `the repository is closed: open it again; did=${this.did}`);
    }
    this.#assertNotFailed();
  }

  #assertNotFailed(): void {
    if (this.#failure !== undefined) {
      throw new RepoError(
        'StorageFailed',
        `the storage has failed: close the repository and open it again; did=${this.did}`,
        this.#failure,
      );
    }
  }
}
