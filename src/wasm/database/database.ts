/** An SQLite database over {@link DatabaseFiles}. */
import type { Connection } from './connection.ts';
import { readDirectly, checkpointAll, recoverLog, truncateJournal, tryCheckpoint, undo } from './crash-remains.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { integrityFaults } from './integrity.ts';
import { isStoredAsWal } from '../vfs/header.ts';
import type { Instance } from './instance.ts';
import { requireMode, switchMode } from './journal-mode.ts';
import { openConnection } from './open-connection.ts';
import { BULK_CACHE_KIBIBYTES } from './settings.ts';
import type { Space } from './space.ts';
import { truncateFree, rewriteInMemory, rewriteThroughLog, spaceOf } from './space.ts';
import { Statement } from './statement.ts';

/** WAL size in bytes at which the adapter checkpoints: a thousand pages, the default of SQLite. */
const LONG_LOG: number = 4 * 1024 * 1024;
/** WAL size in bytes at which a commit checkpoints, if the adapter has not. */
const LONGEST_LOG: number = 4 * LONG_LOG;

export interface OpenOptions {
  /** Whether `open` recovers the WAL of a crash. Default: `true`. */
  readonly recovers?: boolean | undefined;
}

/**
 * A synchronous connection. A write outside of a transaction is committed when the call returns.
 *
 * After a failed flush, the state of the disk is unknown. Every later call throws `StorageFailed` with the same cause,
 * until the files are closed and opened again.
 */
export class Database {
  readonly #instance: Instance;
  readonly #files: DatabaseFiles;
  #connection: Connection;
  readonly #statements = new Set<Statement>();
  #isLogging: boolean;
  /** Whether the WAL has frames of a crash, which `recover` checkpoints. */
  #needsRecovery: boolean;
  #isFrozen = false;
  #isClosed = false;

  /** Use {@link Database.open}. */
  constructor(instance: Instance, files: DatabaseFiles, connection: Connection, isLogging: boolean) {
    this.#instance = instance;
    this.#files = files;
    this.#connection = connection;
    this.#isLogging = isLogging;
    this.#needsRecovery = isLogging && readDirectly(() => files.wal.getSize()) > 0;
  }

  /**
   * Opens the database in the files, or starts one if they are empty. Rolls back an incomplete transaction of a crash,
   * and makes committed ones durable. Otherwise, opening and reading write nothing.
   *
   * @param options.recovers `false` leaves the WAL of a crash until {@link recover}.
   * @throws {RepoError} `Corrupt` when the file is not a database. Then nothing is written. The caller closes the
   *   files.
   */
  static open(instance: Instance, files: DatabaseFiles, { recovers = true }: OpenOptions = {}): Database {
    const { connection, isLogging } = openConnection(instance, files);
    try {
      const database = new Database(instance, files, connection, isLogging);
      if (recovers) {
        database.recover();
      }
      return database;
    } catch (error) {
      connection.abandon();
      throw error;
    }
  }

  /** Checkpoints the WAL of a crash, durably. Does nothing without such a WAL. {@link begin} calls it. */
  recover(): void {
    if (this.#needsRecovery) {
      this.#needsRecovery = false;
      recoverLog(this.#connection);
    }
  }

  /** Closes without writing, for a database that the caller rejects. `close` does nothing afterwards. */
  abandon(): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#finalizeAll();
      this.#connection.abandon();
    }
  }

  /** Whether a transaction is open, including a failed one that is not rolled back yet. */
  get inTransaction(): boolean {
    return this.#connection.inTransaction;
  }

  /** Number of rows that the last insert, update or delete changed. */
  get changes(): number {
    return this.#connection.changes;
  }

  /** Number of statements that are not finalized. */
  get statementCount(): number {
    return this.#statements.size;
  }

  /** Runs SQL without results. For transactions, use {@link begin}. */
  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /**
   * Prepares one statement. The caller finalizes it; `close` finalizes the rest.
   *
   * @throws {TypeError} when the text is not exactly one statement.
   */
  prepare(sql: string): Statement {
    const statement = new Statement(this.#connection, sql, (finalized) => this.#statements.delete(finalized));
    this.#statements.add(statement);
    return statement;
  }

  /** Begins a write transaction. */
  begin(): void {
    this.#instance.pageCaches.limitOne(this.#connection, undefined);
    this.recover();
    this.#startLog();
    this.#connection.exec('begin immediate');
    this.#connection.began();
  }

  /**
   * Makes the current transaction bypass the WAL: its pages go to the main file, with a rollback journal. Each page is
   * then written once; through the WAL, it is written twice and read in between. Call it before the first write of the
   * transaction. The next transaction uses the WAL again. Until the commit, or until then, the page cache is small.
   * Does nothing without a WAL, while frozen, or while a statement is between two rows.
   */
  bypassLog(): void {
    if (!this.#isLogging || this.#isFrozen) {
      return;
    }
    const connection = this.#connection;
    connection.rollback();
    this.#checkpointAndTruncate();
    // If a power cut restored the old WAL, it would hide the new pages.
    connection.flushLog();
    this.#isLogging = switchMode(connection, 'truncate') === 'wal';
    this.#instance.pageCaches.limitOne(connection, BULK_CACHE_KIBIBYTES);
    connection.exec('begin immediate');
    connection.began();
  }

  /**
   * Commits. Durable once this returns, for files with `durableOn: 'flush'`. If it throws, the transaction is rolled
   * back. Only after a failed flush, the next opening decides whether it was committed.
   */
  commit(): void {
    const connection = this.#connection;
    try {
      connection.exec('commit');
    } catch (error) {
      if (connection.isUsable) {
        undo(this.#connection);
      }
      if (connection.isUsable) {
        connection.truncateFailedCommit();
      }
      throw error;
    }
    connection.ended();
    this.#instance.pageCaches.limitOne(connection, undefined);
    if (connection.logSize > LONGEST_LOG) {
      this.checkpoint();
    }
  }

  /**
   * Rolls back to `begin`.
   *
   * @throws {RepoError} when that fails. Then every later call throws too.
   */
  rollback(): void {
    this.#connection.rollback();
  }

  /** Runs one transaction. Commits when `run` returns. Rolls back when it throws, and throws its error. */
  transaction<T>(run: () => T): T {
    this.begin();
    let result: T;
    try {
      result = run();
    } catch (error) {
      if (this.#connection.inTransaction && this.#connection.isUsable) {
        undo(this.#connection);
      }
      throw error;
    }
    this.commit();
    return result;
  }

  /**
   * Checkpoints the WAL. Until {@link thaw}, the main file then stays unchanged, and commits stay in the WAL. Returns
   * `false` and does nothing without a WAL. Do not call it in a transaction.
   */
  freeze(): boolean {
    this.#startLog();
    if (!this.#isLogging) {
      return false;
    }
    // A read opens a new WAL. Without it, a checkpoint fails with SQLITE_LOCKED.
    this.#connection.exec('select count(*) from sqlite_schema');
    this.#checkpointAndTruncate();
    this.#isFrozen = true;
    return true;
  }

  /** Allows changes of the main file again. */
  thaw(): void {
    this.#isFrozen = false;
  }

  /**
   * Whether the adapter should call {@link checkpoint} when idle. A commit checkpoints by itself if the WAL becomes
   * four times as long.
   */
  get isLogLong(): boolean {
    return this.#connection.logSize > LONG_LOG && !this.#isFrozen;
  }

  /**
   * Checkpoints the WAL; the next commit restarts it. Does nothing in a transaction, while frozen, or without a WAL. A
   * failure loses no commit, and the next operation reports it.
   */
  checkpoint(): void {
    if (!this.#isLogging || this.#isFrozen || this.#connection.inTransaction) {
      return;
    }
    tryCheckpoint(this.#connection);
  }

  get space(): Space {
    return spaceOf(this.#connection);
  }

  /**
   * Truncates free pages from the file, if its format allows that, and empties the WAL. Does nothing while frozen. Do
   * not call it in a transaction.
   * @throws {RepoError} `StorageFull`, `StorageFailed`. No commit is lost, and a later call continues.
   */
  shrink(): void {
    if (this.#isFrozen) {
      return;
    }
    truncateFree(this.#connection, (run) => this.transaction(run));
    this.recover();
    this.#checkpointAndTruncate();
    this.#connection.flushLog();
  }

  /**
   * Rewrites the whole database without free space. Finalizes all statements. Takes 8 MiB of memory, and disk space for
   * the new file beside the old one. Files in memory take that space in memory. For files with `durableOn: 'flush'`, it
   * is durable when this returns, and a power cut leaves the old or the new database. Do not call it in a transaction
   * or while frozen.
   * @throws {RepoError} `StorageFull`, `StorageFailed`. Then the database is unchanged.
   */
  rewrite(): void {
    this.#finalizeAll();
    if (this.#files.durableOn === 'persist') {
      rewriteInMemory(this.#connection, this.#files);
    } else {
      this.recover();
      this.freeze();
      this.thaw();
      this.#connection.flushLog();
      rewriteThroughLog(this.#connection, this.#files);
    }
    this.#connection.abandon();
    const { connection, isLogging } = openConnection(this.#instance, this.#files);
    this.#connection = connection;
    this.#isLogging = isLogging;
    this.#needsRecovery = isLogging;
    this.recover();
  }

  /**
   * Returns the faults of `pragma integrity_check`, one sentence per fault. Reads the whole file.
   * @param tables The only tables to check. SQLite evaluates constraints and indexes of checked tables.
   */
  integrityCheck(tables?: readonly string[]): string[] {
    return integrityFaults(this.#connection, tables);
  }

  /**
   * Rolls back an open transaction, checkpoints the WAL, so that the main file is complete, and closes. The caller
   * closes the files. A second call does nothing.
   *
   * @throws {RepoError} when the checkpoint fails. The database is closed anyway. Commits stay in the WAL, where the
   *   next opening finds them.
   */
  close(): void {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    this.#finalizeAll();
    let isComplete = false;
    try {
      if (this.#connection.isUsable) {
        if (this.#connection.inTransaction) {
          this.#connection.rollback();
        }
        this.#checkpointAndTruncate();
        if (this.#files.durableOn === 'flush' && readDirectly(() => isStoredAsWal(this.#files.main))) {
          // SQLite rewrites the header with a journal. Writing two bytes in place could destroy the first page in a
          // power cut.
          requireMode(this.#connection, 'truncate');
        }
        isComplete = this.#files.durableOn === 'flush';
      }
    } finally {
      this.#connection.close();
    }
    if (isComplete) {
      truncateJournal(this.#files);
    }
  }

  #finalizeAll(): void {
    for (const statement of [...this.#statements]) {
      statement.finalize();
    }
  }

  /** Starts the WAL of a new database: one flush per commit instead of four. */
  #startLog(): void {
    if (this.#isLogging || this.#files.durableOn !== 'flush' || this.#connection.inTransaction) {
      return;
    }
    this.#isLogging = switchMode(this.#connection, 'wal') === 'wal';
  }

  #checkpointAndTruncate(): void {
    if (this.#isLogging) {
      checkpointAll(this.#connection);
    }
  }
}
