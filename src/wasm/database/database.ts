/** An SQLite database over {@link DatabaseFiles}. */
import type { Connection } from './connection.ts';
import { ask, emptyLog, settleLog, tidy, tryCheckpoint, undo } from './crash-remains.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { integrityFaults } from './integrity.ts';
import { isStoredAsLogged } from '../vfs/header.ts';
import type { Instance } from './instance.ts';
import { requireMode, switchMode } from './journal-mode.ts';
import { openConnection } from './open-connection.ts';
import type { Space } from './space.ts';
import { cutOff, rewriteInMemory, rewriteThroughLog, spaceOf } from './space.ts';
import { Statement } from './statement.ts';

/** Bytes of the WAL at which it is checkpointed: a thousand pages, the default of SQLite. */
const LONG_LOG: number = 4 * 1024 * 1024;
/** Where a commit waits for that, because nobody has found the time since. */
const LONGEST_LOG: number = 4 * LONG_LOG;

export interface OpenOptions {
  readonly settles?: boolean | undefined;
}

/**
 * One connection, synchronous. What a call writes outside a transaction is committed when it returns.
 *
 * After a flush that failed nobody knows what is on the disk: every later call throws `StorageFailed` with the same
 * cause, until the files are closed and opened again, and nothing more is read or written.
 */
export class Database {
  readonly #instance: Instance;
  readonly #files: DatabaseFiles;
  #connection: Connection;
  readonly #statements = new Set<Statement>();
  #isLogging: boolean;
  /** Whether the log holds what a crash has left, which `settle` sees to. */
  #isUnsettled: boolean;
  #isFrozen = false;
  #isClosed = false;

  /** For a connection whose settings are made; see {@link Database.open}. */
  constructor(instance: Instance, files: DatabaseFiles, connection: Connection, isLogging: boolean) {
    this.#instance = instance;
    this.#files = files;
    this.#connection = connection;
    this.#isLogging = isLogging;
    this.#isUnsettled = isLogging && ask(() => files.wal.getSize()) > 0;
  }

  /**
   * Opens the database in the files, or begins one where there is nothing. A change that a crash has cut short is
   * undone, and one that was committed is there, and durable; apart from that opening and reading write nothing.
   *
   * @param options.settles False to leave the log of a crash as it is until {@link settle}.
   * @throws {RepoError} `Corrupt` when the file is not a database. The files stay the caller's to close, and nothing is
   *   written to them.
   */
  static open(instance: Instance, files: DatabaseFiles, { settles = true }: OpenOptions = {}): Database {
    const { connection, isLogging } = openConnection(instance, files);
    try {
      const database = new Database(instance, files, connection, isLogging);
      if (settles) {
        database.settle();
      }
      return database;
    } catch (error) {
      connection.abandon();
      throw error;
    }
  }

  /**
   * Moves what a crash has left in the log to the main file, durably. Does nothing where that is done, or where there
   * is no log. A transaction that writes does it first.
   */
  settle(): void {
    if (this.#isUnsettled) {
      this.#isUnsettled = false;
      settleLog(this.#connection);
    }
  }

  /** Closes without another write: for a database that is not what the caller expects. `close` does nothing after it. */
  abandon(): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#finalizeAll();
      this.#connection.abandon();
    }
  }

  /** Whether a transaction is open, be it one that failed and waits to be rolled back. */
  get inTransaction(): boolean {
    return this.#connection.inTransaction;
  }

  /** How many rows the last insert, update or delete changed. */
  get changes(): number {
    return this.#connection.changes;
  }

  /** How many statements are neither finalized nor closed. */
  get statementCount(): number {
    return this.#statements.size;
  }

  /** Runs SQL for what it does. Transactions go through {@link begin}. */
  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /**
   * Prepares one statement, which the caller finalizes; `close` finalizes what is left.
   *
   * @throws {TypeError} when the text holds none, or more than one.
   */
  prepare(sql: string): Statement {
    const statement = new Statement(this.#connection, sql, (finalized) => this.#statements.delete(finalized));
    this.#statements.add(statement);
    return statement;
  }

  /** Begins a transaction that writes. */
  begin(): void {
    this.settle();
    this.#startLog();
    this.#connection.exec('begin immediate');
    this.#connection.began();
  }

  /**
   * Has the transaction that has begun, and has written nothing yet, write its pages to their places, with a journal of
   * what was there: each once, where the log has them written twice and read in between. The next one writes ahead
   * again. Does nothing where nothing is written ahead, while frozen, or while a statement is between two rows.
   */
  writePlainly(): void {
    if (!this.#isLogging || this.#isFrozen) {
      return;
    }
    const connection = this.#connection;
    connection.rollback();
    this.#checkpointAndTruncate();
    // A log that came back would be read over what is written now.
    connection.flushLog();
    this.#isLogging = switchMode(connection, 'truncate') === 'wal';
    connection.exec('begin immediate');
    connection.began();
  }

  /**
   * Durable once this returns, for files that are `durableOn: 'flush'`. When it throws, the transaction is rolled
   * back; only after a flush that failed the next opening decides whether it was committed.
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
        connection.takeBackLog();
      }
      throw error;
    }
    connection.ended();
    if (connection.logSize > LONGEST_LOG) {
      this.checkpoint();
    }
  }

  /**
   * Undoes everything since `begin`.
   *
   * @throws {RepoError} when that fails, and then every later call does.
   */
  rollback(): void {
    this.#connection.rollback();
  }

  /** Runs one transaction: committed when `run` returns; rolled back when it throws, and its error comes out. */
  transaction<T>(run: () => T): T {
    this.begin();
    let answer: T;
    try {
      answer = run();
    } catch (error) {
      if (this.#connection.inTransaction && this.#connection.isUsable) {
        undo(this.#connection);
      }
      throw error;
    }
    this.commit();
    return answer;
  }

  /**
   * Checkpoints the WAL into the main file, which then stays as it is until {@link thaw}: what is committed meanwhile
   * stays in the log. False, and nothing done, where nothing is written ahead. Not to be called in a transaction.
   */
  freeze(): boolean {
    this.#startLog();
    if (!this.#isLogging) {
      return false;
    }
    // A read opens a WAL that has just begun: a checkpoint before that fails with SQLITE_LOCKED.
    this.#connection.exec('select count(*) from sqlite_schema');
    this.#checkpointAndTruncate();
    this.#isFrozen = true;
    return true;
  }

  /** Lets the main file change again. */
  thaw(): void {
    this.#isFrozen = false;
  }

  /**
   * Whether it is time for {@link checkpoint}, when nobody waits for it. A commit does it by itself once it cannot be
   * put off.
   */
  get isLogLong(): boolean {
    return this.#connection.logSize > LONG_LOG && !this.#isFrozen;
  }

  /**
   * Moves what was committed from the log to its place in the main file; the log begins anew with the next commit. Does
   * nothing in a transaction, while frozen, or where nothing is written ahead. What was committed stands whatever
   * becomes of this: a disk that is full, or fails, says so to whoever comes next.
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
   * Cuts free pages off the file, where its format allows that, and leaves nothing in the WAL. Does nothing while
   * frozen. Not to be called in a transaction.
   * @throws {RepoError} `StorageFull`, `StorageFailed`. What was committed stands, and a later call goes on.
   */
  shrink(): void {
    if (this.#isFrozen) {
      return;
    }
    cutOff(this.#connection, (run) => this.transaction(run));
    this.settle();
    this.#checkpointAndTruncate();
    this.#connection.flushLog();
  }

  /**
   * Writes the whole database anew: without free pages, and with rows side by side. All statements are finalized.
   * Takes 8 MiB of memory, whatever the size of the file, and the size of the new file beside the old one. Files that
   * are in memory take that, too, in memory. For files that are `durableOn: 'flush'` it is durable when this returns,
   * and a power cut leaves the old database or the new one. Not to be called in a transaction, nor while frozen.
   * @throws {RepoError} `StorageFull`, `StorageFailed`; the database is as it was then.
   */
  rewrite(): void {
    this.#finalizeAll();
    if (this.#files.durableOn === 'persist') {
      rewriteInMemory(this.#connection, this.#files);
    } else {
      this.settle();
      this.freeze();
      this.thaw();
      this.#connection.flushLog();
      rewriteThroughLog(this.#connection, this.#files);
    }
    this.#connection.abandon();
    const { connection, isLogging } = openConnection(this.#instance, this.#files);
    this.#connection = connection;
    this.#isLogging = isLogging;
    this.#isUnsettled = isLogging;
    this.settle();
  }

  /**
   * Returns what `pragma integrity_check` finds wrong, one sentence per fault. Reads the whole file.
   * @param tables The tables to look at, and no others: SQLite computes checks and indexes of all that it looks at.
   */
  integrityCheck(tables?: readonly string[]): string[] {
    return integrityFaults(this.#connection, tables);
  }

  /**
   * Rolls back what is not committed, checkpoints the WAL, so that any SQLite opens it by itself, and closes.
   * The files stay the caller's to close. A second call does nothing.
   *
   * @throws {RepoError} when the checkpoint fails. The database is closed all the same, and what was
   *   committed is safe in the log, where the next opening finds it.
   */
  close(): void {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    this.#finalizeAll();
    let isWhole = false;
    try {
      if (this.#connection.isUsable) {
        if (this.#connection.inTransaction) {
          this.#connection.rollback();
        }
        this.#checkpointAndTruncate();
        if (this.#files.durableOn === 'flush' && ask(() => isStoredAsLogged(this.#files.main))) {
          // SQLite writes it, with a journal: two bytes written in place would be the end of the first page, should a
          // power cut tear it.
          requireMode(this.#connection, 'truncate');
        }
        isWhole = this.#files.durableOn === 'flush';
      }
    } finally {
      this.#connection.close();
    }
    if (isWhole) {
      tidy(this.#files);
    }
  }

  #finalizeAll(): void {
    for (const statement of [...this.#statements]) {
      statement.finalize();
    }
  }

  /** Begins to write ahead where `open` found no database yet: one flush a commit instead of four. */
  #startLog(): void {
    if (this.#isLogging || this.#files.durableOn !== 'flush' || this.#connection.inTransaction) {
      return;
    }
    this.#isLogging = switchMode(this.#connection, 'wal') === 'wal';
  }

  #checkpointAndTruncate(): void {
    if (this.#isLogging) {
      emptyLog(this.#connection);
    }
  }
}
