/** An SQLite database over {@link DatabaseFiles}. */
import { isRepoError, RepoError } from '../core/errors.ts';
import { Connection } from './connection.ts';
import type { DatabaseFiles } from './database-files.ts';
import { isStoredAsLogged } from './header.ts';
import type { Instance } from './instance.ts';
import { SQLITE_ERROR, SQLITE_OK } from './result-codes.ts';
import { Statement } from './statement.ts';

/**
 * Eight times SQLite's own. Keys are hashes, so that one import touches pages of the index all over: 200,000 rows in one
 * transaction, 70 MB, took 205,000 writes and 188,000 reads of the files with 2 MB, 46,000 and 28,000 with this, and
 * 34,000 and 17,000 with 64 MB.
 */
const CACHE_IN_KIBIBYTES = 16_384;

/** What a long transaction left of the log goes at the next checkpoint: in a browser it counts against the quota. */
const LOG_SIZE_KEPT = 16 * 1024 * 1024;

/** The page size that the power-cut tests were run with, and that of the sectors that the files claim. */
const PAGE_SIZE = 4096;

/** Pages in the log at which SQLite folds it in; its own default. */
const AUTOMATIC_CHECKPOINT = 1000;

const SETTINGS = [
  // First, for without it a log that is there cannot be read: there is no memory to share.
  'locking_mode=exclusive',
  'temp_store=memory',
  // The file may come from anywhere.
  'trusted_schema=off',
  'cell_size_check=on',
  `page_size=${PAGE_SIZE}`,
  `cache_size=-${CACHE_IN_KIBIBYTES}`,
  `journal_size_limit=${LOG_SIZE_KEPT}`,
] as const;

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
  #isClosed = false;

  /** For a connection whose settings are made; see {@link Database.open}. */
  constructor(connection: Connection, files: DatabaseFiles, isLogging: boolean) {
    this.#connection = connection;
    this.#files = files;
    this.#isLogging = isLogging;
  }

  /**
   * Opens the database in the files, or begins one where there is nothing. A change that a crash has cut short is
   * undone, and one that was committed is there, and durable; apart from that opening and reading write nothing.
   *
   * @throws {RepoError} `Corrupt` when the file is not a database; whatever happens, the files stay the caller's to close.
   */
  static open(instance: Instance, files: DatabaseFiles): Database {
    const connection = Connection.open(instance, instance.vfs.mount(files));
    try {
      const isFlushed = files.durableOn === 'flush';
      for (const setting of [...SETTINGS, `synchronous=${isFlushed ? 'full' : 'off'}`]) {
        connection.exec(`pragma ${setting}`);
      }
      // The first read: it recovers what a crash has left, and finds out whether this is a database.
      connection.exec('select count(*) from sqlite_schema');
      if (!isFlushed) {
        requireMode(connection, 'memory');
        return new Database(connection, files, false);
      }
      const [mode] = connection.texts('pragma journal_mode');
      if (mode === 'wal' && ask(() => files.wal.getSize()) > 0) {
        settleLog(connection);
      } else if (mode !== 'wal') {
        // `delete` would leave the journal's end to be made durable by the folder; a power cut undid commits with it.
        requireMode(connection, 'truncate');
      }
      return new Database(connection, files, mode === 'wal');
    } catch (error) {
      connection.close();
      throw error;
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
    this.#startLog();
    this.#connection.exec('begin immediate');
    this.#connection.began();
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
        connection.rollback();
      }
      throw error;
    }
    connection.ended();
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
   * Folds the log into the main file, which then stays as it is until {@link thaw}: what is committed meanwhile stays in
   * the log. False, and nothing done, where nothing is written ahead. Not to be called in a transaction.
   */
  freeze(): boolean {
    if (!this.#isLogging) {
      return false;
    }
    this.#foldLog();
    this.#connection.exec('pragma wal_autocheckpoint=0');
    return true;
  }

  /** Lets the main file change again. */
  thaw(): void {
    if (!this.#isClosed && this.#connection.isUsable) {
      this.#connection.exec(`pragma wal_autocheckpoint=${AUTOMATIC_CHECKPOINT}`);
    }
  }

  /** What `pragma integrity_check` finds wrong; nothing when all is well. Reads the whole file. */
  integrityCheck(): string[] {
    try {
      const found = this.#connection.texts('pragma integrity_check');
      return found.length === 1 && found[0] === 'ok' ? [] : found;
    } catch (error) {
      // Damage that the check itself stumbles over.
      if (isRepoError(error, 'Corrupt')) {
        return [error.message];
      }
      throw error;
    }
  }

  /**
   * Rolls back what is not committed, folds the log into the file, so that any SQLite opens it by itself, and closes.
   * The files stay the caller's to close. A second call does nothing.
   *
   * @throws {RepoError} when the log could not be folded in. The database is closed all the same, and what was
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
        this.#foldLog();
        if (this.#files.durableOn === 'flush' && ask(() => isStoredAsLogged(this.#files.main))) {
          // SQLite writes it, with a journal: two bytes written in place would be the end of the first page, should a power cut tear it.
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

  /** Rolls back for an error that is on its way out; should that fail as well, the database is poisoned and says so next. */
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
    const code = this.#connection.tryExec('pragma journal_mode=wal');
    // SQLITE_ERROR: some statement is between two rows. This transaction then goes through the journal, as safely.
    if (code !== SQLITE_OK && code !== SQLITE_ERROR) {
      throw this.#connection.failed(code);
    }
    this.#isLogging = this.#connection.texts('pragma journal_mode')[0] === 'wal';
  }

  #foldLog(): void {
    if (this.#isLogging) {
      const [busy] = this.#connection.texts('pragma wal_checkpoint(truncate)');
      if (busy !== '0') {
        throw new RepoError('StorageFailed', 'the log could not be folded in');
      }
    }
  }
}

/**
 * Folds in what a crash has left in the log. Behind its last commit SQLite fills a sector, only part of which it syncs; when a
 * power cut has taken the rest, the next commit would begin in a sector that holds the end of the last one, and a second power cut, on
 * a disk that damages the sector that it is writing, would take that one with it. And after a kill the log may hold commits that
 * were never synced: they are before anybody reads them.
 */
const settleLog = (connection: Connection): void => {
  try {
    connection.texts('pragma wal_checkpoint(truncate)');
  } catch (error) {
    // The log stays as it is. Reading works on a full disk, and so do deleting and collecting garbage, in part.
    if (!isRepoError(error, 'StorageFull')) {
      throw error;
    }
  }
};

/** With the log folded in nothing needs a journal: one that was undone at opening is left with a blank first page. */
const tidy = ({ journal }: DatabaseFiles): void => {
  try {
    if (journal.getSize() > 0) {
      journal.truncate(0);
      journal.flush();
    }
  } catch (cause) {
    throw new RepoError('StorageFailed', 'the files could not be left as any reader wants them', { cause });
  }
};

/** What a file says when it is asked past SQLite. */
const ask = <T>(question: () => T): T => {
  try {
    return question();
  } catch (cause) {
    throw new RepoError('StorageFailed', 'a file of the database could not be read', { cause });
  }
};

const requireMode = (connection: Connection, mode: string): void => {
  const [answer] = connection.texts(`pragma journal_mode=${mode}`);
  if (answer !== mode) {
    throw new RepoError('StorageFailed', `the journal mode cannot be changed; wanted=${mode}, is=${answer}`);
  }
};
