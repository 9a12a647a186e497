/** An SQLite database over {@link DatabaseFiles}. */
import { isRepoError, RepoError } from '../../core/errors.ts';
import { Connection } from './connection.ts';
import { ask, settleLog, tidy } from './crash-remains.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { isStoredAsLogged } from '../vfs/header.ts';
import type { Instance } from './instance.ts';
import { journalMode, requireMode, switchMode } from './journal-mode.ts';
import { largestCacheOf, settingsFor } from './settings.ts';
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
  readonly #connection: Connection;
  readonly #files: DatabaseFiles;
  readonly #statements = new Set<Statement>();
  #isLogging: boolean;
  /** Whether the log holds what a crash has left, which `settle` sees to. */
  #isUnsettled: boolean;
  #isFrozen = false;
  #isClosed = false;

  /** For a connection whose settings are made; see {@link Database.open}. */
  constructor(connection: Connection, files: DatabaseFiles, isLogging: boolean) {
    this.#connection = connection;
    this.#files = files;
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
    const connection = Connection.open(instance, instance.vfs.mount(files));
    try {
      const isFlushed = files.durableOn === 'flush';
      for (const setting of settingsFor(files.durableOn)) {
        connection.exec(`pragma ${setting}`);
      }
      connection.shareCache(largestCacheOf(files.durableOn));
      // The first read: it recovers what a crash has left, and finds out whether this is a database.
      connection.exec('select count(*) from sqlite_schema');
      if (!isFlushed) {
        requireMode(connection, 'memory');
        return new Database(connection, files, false);
      }
      const mode = journalMode(connection);
      if (mode !== 'wal') {
        // `delete` would leave the journal's end to be made durable by the folder; a power cut undid commits with it.
        requireMode(connection, 'truncate');
      }
      const database = new Database(connection, files, mode === 'wal');
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
      for (const statement of [...this.#statements]) {
        statement.finalize();
      }
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
        this.#undo();
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
        this.#undo();
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
    try {
      this.#connection.texts('pragma wal_checkpoint(passive)');
    } catch (error) {
      if (!isRepoError(error)) {
        throw error;
      }
    }
  }

  /**
   * Returns what `pragma integrity_check` finds wrong, one sentence per fault. Reads the whole file.
   * @param tables The tables to look at, and no others: SQLite computes checks and indexes of all that it looks at.
   */
  integrityCheck(tables?: readonly string[]): string[] {
    const targets = tables === undefined ? [''] : ['sqlite_schema', ...tables].map((table) => `(${table})`);
    try {
      return targets
        .flatMap((target) => this.#connection.texts(`pragma integrity_check${target}`))
        .filter((line) => line !== 'ok');
    } catch (error) {
      // Damage that the check itself stumbles over.
      if (isRepoError(error, 'Corrupt')) {
        return [error.message];
      }
      throw error;
    }
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
    for (const statement of [...this.#statements]) {
      statement.finalize();
    }
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

  /**
   * Rolls back for an error that is on its way out; should that fail as well, the database is poisoned and says so
   * next.
   */
  #undo(): void {
    try {
      this.#connection.rollback();
    } catch (error) {
      if (this.#connection.isUsable) {
        throw error;
      }
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
      const [busy] = this.#connection.texts('pragma wal_checkpoint(truncate)');
      if (busy !== '0') {
        throw new RepoError('StorageFailed', 'the WAL could not be checkpointed');
      }
    }
  }
}
