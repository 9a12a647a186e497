/** One open SQLite connection: calls into SQLite, and the state after errors. */
import { RepoError } from '../../core/errors.ts';
import type { CApi, Pointer } from '../c-api/c-api.ts';
import type { Heap } from '../c-api/heap.ts';
import type { Instance } from './instance.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import type { Mount } from '../vfs/mount.ts';
import {
  endsTransaction,
  SQLITE_DONE,
  SQLITE_ERROR,
  SQLITE_IOERR_WRITE,
  SQLITE_OK,
  SQLITE_ROW,
  sqliteError,
} from '../c-api/result-codes.ts';
import type { PageCache } from './page-caches.ts';
import { errorName } from '../../core/data/platform-values.ts';

const UP_TO_ZERO_BYTE = -1;

const unusable = (message: string, cause?: unknown): RepoError =>
  new RepoError('StorageFailed', `${message}: open the database again`, { cause });

/** A `Database` and its statements share one. */
export class Connection implements PageCache {
  readonly api: CApi;
  readonly heap: Heap;
  readonly #instance: Instance;
  readonly #mount: Mount;
  readonly #pointer: Pointer;
  #largestCache = 0;
  #closed = false;
  #inTransaction = false;
  /** The error that ended the transaction. */
  #lost: RepoError | undefined;
  #poison: RepoError | undefined;

  /** Use {@link Connection.open}. */
  constructor(instance: Instance, mount: Mount, pointer: Pointer) {
    this.api = instance.api;
    this.heap = instance.heap;
    this.#instance = instance;
    this.#mount = mount;
    this.#pointer = pointer;
  }

  /** Opens a mounted database. Reads nothing. */
  static open(instance: Instance, mount: Mount): Connection {
    if (instance.trap !== undefined) {
      throw instance.trap;
    }
    const { api, heap, cell } = instance;
    heap.setWord(cell, 0);
    const code = heap.withCText(mount.name, (name) => api.sqlite3_open(name, cell));
    const pointer = heap.word(cell);
    const connection = new Connection(instance, mount, pointer);
    if (code !== SQLITE_OK) {
      const error =
        pointer === 0
          ? sqliteError(code, 'SQLite is out of memory: close other databases', undefined)
          : connection.failed(code);
      connection.close();
      throw error;
    }
    return connection;
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Whether SQLite sees the header of a database in WAL mode, whatever the stored header says. */
  get showsWal(): boolean {
    return this.#mount.showsWal;
  }

  set showsWal(isWal: boolean) {
    this.#mount.showsWal = isWal;
  }

  /** Bytes written to the WAL since its last restart. */
  get logSize(): number {
    return this.#mount.logSize;
  }

  get changes(): number {
    this.check();
    return this.api.sqlite3_changes(this.#pointer);
  }

  get isUsable(): boolean {
    return !this.#closed && this.#poison === undefined && this.#instance.trap === undefined;
  }

  /** Throws unless the database is usable. */
  check(): void {
    if (this.#closed) {
      throw new RepoError('Closed', 'the database is closed: open it again to use it');
    }
    if (this.#instance.trap !== undefined) {
      throw this.#instance.trap;
    }
    if (this.#poison !== undefined) {
      throw unusable('the database failed', this.#poison.cause);
    }
    if (this.#lost !== undefined) {
      throw new RepoError('StorageFailed', 'the transaction failed: roll it back', { cause: this.#lost });
    }
    this.#mount.clearFailure();
    this.#instance.pageCaches.use(this);
  }

  get largest(): number {
    return this.#largestCache;
  }

  /** Takes a share of the budget of all page caches, at most `largest` kibibytes. */
  shareCache(largest: number): void {
    this.#largestCache = largest;
    this.#instance.pageCaches.add(this);
  }

  /** A failed connection keeps its pages until it is closed. */
  resize(kibibytes: number): void {
    if (this.isUsable) {
      this.#exec(`pragma cache_size=-${kibibytes}`);
    }
  }

  /** Returns the error for a code other than OK. Records whether the transaction or the database has failed. */
  failed(code: number): RepoError {
    const failure = this.#mount.failureOf(code);
    const message = this.heap.cText(this.api.sqlite3_errmsg(this.#pointer));
    const error = sqliteError(failure?.code ?? code, message, failure?.cause);
    if (this.#mount.fatal !== undefined) {
      this.poison(error);
    } else if (this.#inTransaction && endsTransaction(code)) {
      // SQLite may have rolled back already. Later statements would then commit one by one.
      this.#lost ??= error;
    }
    return error;
  }

  /**
   * Writes a compact copy of the database to empty files. Takes twice `kibibytes` of memory. Do not call it in a
   * transaction or while a statement is between two rows.
   */
  vacuumInto(files: DatabaseFiles, kibibytes: number): void {
    const { vfs } = this.#instance;
    const copy = vfs.mount(files);
    try {
      this.exec(`pragma cache_size=-${kibibytes}`);
      const code = this.tryExec(`vacuum into '${copy.name}'`);
      if (code !== SQLITE_OK) {
        const failure = copy.failureOf(code);
        throw failure === undefined
          ? this.failed(code)
          : sqliteError(failure.code, 'cannot write a compact copy of the database: free some space', failure.cause);
      }
    } finally {
      vfs.unmount(copy);
      // Restores its share of the budget.
      this.#instance.pageCaches.remove(this);
      this.#instance.pageCaches.add(this);
    }
  }

  trapped(cause: unknown): RepoError {
    return this.#instance.trapped(cause);
  }

  /** Rejects every later call with the first reason. */
  poison(error: RepoError): void {
    this.#poison ??= new RepoError(error.code, error.message, { cause: error.cause ?? error });
  }

  /** Runs statements without results. Returns the result code. Throws only if WebAssembly traps. */
  tryExec(sql: string): number {
    this.check();
    return this.#exec(sql);
  }

  /** Runs statements without results. */
  exec(sql: string): void {
    const code = this.tryExec(sql);
    if (code !== SQLITE_OK) {
      throw this.failed(code);
    }
  }

  /** Returns the first column of every row, as text. */
  texts(sql: string): string[] {
    const statement = this.prepare(sql);
    const { api, heap } = this;
    const texts: string[] = [];
    try {
      for (;;) {
        const code = api.sqlite3_step(statement);
        if (code === SQLITE_DONE) {
          return texts;
        }
        if (code !== SQLITE_ROW) {
          throw this.failed(code);
        }
        const text = api.sqlite3_column_text(statement, 0);
        texts.push(heap.text(text, api.sqlite3_column_bytes(statement, 0)));
      }
    } catch (error) {
      throw errorName(error) === 'RuntimeError' ? this.trapped(error) : error;
    } finally {
      this.release(statement);
    }
  }

  /** @throws {TypeError} when the text is not exactly one statement. */
  prepare(sql: string): Pointer {
    this.check();
    const { api, heap } = this;
    const { cell } = this.#instance;
    let code = SQLITE_OK;
    let rest = '';
    heap.withCText(sql, (text) => {
      try {
        code = api.sqlite3_prepare_v2(this.#pointer, text, UP_TO_ZERO_BYTE, cell, cell + 4);
      } catch (error) {
        throw this.trapped(error);
      }
      rest = code === SQLITE_OK ? heap.cText(heap.word(cell + 4)) : '';
    });
    if (code !== SQLITE_OK) {
      throw this.failed(code);
    }
    const statement = heap.word(cell);
    if (statement === 0 || rest.trim() !== '') {
      api.sqlite3_finalize(statement);
      throw new TypeError(`expected exactly one SQL statement; sql=${sql}`);
    }
    return statement;
  }

  /** Records that a transaction has begun. */
  began(): void {
    this.#inTransaction = true;
    this.#mount.markLog();
  }

  /** Records that the transaction has ended. */
  ended(): void {
    this.#inTransaction = false;
    this.#lost = undefined;
  }

  /** Rolls back, also if SQLite has already rolled back. If that fails, the connection is unusable. */
  rollback(): void {
    this.#lost = undefined;
    this.check();
    const code = this.#exec('rollback');
    // SQLITE_ERROR: no transaction is active.
    const isEnded = code === SQLITE_OK || code === SQLITE_ERROR;
    this.ended();
    if (!isEnded) {
      const error = this.failed(code);
      this.poison(error);
      throw error;
    }
    if (this.#mount.isHalfWritten) {
      const error = unusable('a transaction could not be rolled back');
      this.poison(error);
      throw error;
    }
  }

  /**
   * Truncates the frames of a failed commit from the WAL. Its last frame may be written although a later write failed,
   * and the next opening would find the commit complete. If truncating fails, the database is unusable.
   */
  truncateFailedCommit(): void {
    try {
      this.#mount.truncateFailedCommit();
    } catch (cause) {
      this.poison(unusable('the frames of a failed commit could not be truncated', cause));
    }
  }

  /**
   * Makes the truncation of the WAL durable. SQLite does not, because it can distinguish an old WAL from a new one. If
   * flushing fails, the database is unusable.
   */
  flushLog(): void {
    try {
      this.#mount.flushLog();
    } catch (cause) {
      const error = unusable('the WAL could not be flushed', cause);
      this.poison(error);
      throw error;
    }
  }

  get isTrapped(): boolean {
    return this.#instance.trap !== undefined;
  }

  /** Finalizes a statement. Ignores its result code, which repeats the error of the last step. */
  release(statement: Pointer): void {
    if (!this.#closed && !this.isTrapped) {
      try {
        this.api.sqlite3_finalize(statement);
      } catch (error) {
        throw this.trapped(error);
      }
    }
  }

  /** As {@link close}, but writes nothing: SQLite would checkpoint the WAL. */
  abandon(): void {
    this.#mount.failForGood(SQLITE_IOERR_WRITE, new RepoError('Closed', 'the database was abandoned: open it again'));
    this.close();
  }

  /** Closes SQLite's connection. The caller has finalized all statements. Never throws. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#instance.pageCaches.remove(this);
    if (this.#instance.trap === undefined && this.#pointer !== 0) {
      try {
        this.api.sqlite3_close_v2(this.#pointer);
      } catch (error) {
        // Committed data is in the files. The next call to any database throws.
        this.trapped(error);
      }
    }
    this.#instance.vfs.unmount(this.#mount);
  }

  #exec(sql: string): number {
    return this.heap.withCText(sql, (text) => {
      try {
        return this.api.sqlite3_exec(this.#pointer, text, 0, 0, 0);
      } catch (error) {
        throw this.trapped(error);
      }
    });
  }
}
