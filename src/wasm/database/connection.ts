/** One open database as SQLite sees it: calls into it, and what came of them. */
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

const TO_THE_ZERO_BYTE = -1;

/** Shared by a `Database` and its statements, and by nobody else. */
export class Connection implements PageCache {
  readonly api: CApi;
  readonly heap: Heap;
  readonly #instance: Instance;
  readonly #mount: Mount;
  readonly #pointer: Pointer;
  #largestCache = 0;
  #closed = false;
  #inTransaction = false;
  /** Why the transaction cannot go on. */
  #lost: RepoError | undefined;
  #poison: RepoError | undefined;

  /** For what SQLite has opened; see {@link Connection.open}. */
  constructor(instance: Instance, mount: Mount, pointer: Pointer) {
    this.api = instance.api;
    this.heap = instance.heap;
    this.#instance = instance;
    this.#mount = mount;
    this.#pointer = pointer;
  }

  /** Opens what is mounted. Nothing is read yet. */
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
      const error = pointer === 0 ? sqliteError(code, 'out of memory', undefined) : connection.failed(code);
      connection.close();
      throw error;
    }
    return connection;
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Whether SQLite is to find a database that is logged, or what its file says. */
  get showsLogged(): boolean {
    return this.#mount.showsLogged;
  }

  set showsLogged(isLogged: boolean) {
    this.#mount.showsLogged = isLogged;
  }

  /** Bytes of the log that have been written since it last began anew. */
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

  /** Throws unless the database can be called now. */
  check(): void {
    if (this.#closed) {
      throw new RepoError('Closed', 'the database is closed');
    }
    if (this.#instance.trap !== undefined) {
      throw this.#instance.trap;
    }
    if (this.#poison !== undefined) {
      throw new RepoError('StorageFailed', 'the database failed and has to be opened again', {
        cause: this.#poison.cause,
      });
    }
    if (this.#lost !== undefined) {
      throw new RepoError('StorageFailed', 'the transaction failed and has to be rolled back', { cause: this.#lost });
    }
    this.#mount.forget();
    this.#instance.pageCaches.use(this);
  }

  get largest(): number {
    return this.#largestCache;
  }

  /** Takes a share of the budget of all page caches, of at most so many kibibytes. */
  shareCache(largest: number): void {
    this.#largestCache = largest;
    this.#instance.pageCaches.add(this);
  }

  /** A connection that has failed keeps its pages until it is closed. */
  resize(kibibytes: number): void {
    if (this.isUsable) {
      this.#exec(`pragma cache_size=-${kibibytes}`);
    }
  }

  /** The error for a code that is not OK; what it means for the transaction and the database is noted. */
  failed(code: number): RepoError {
    const behind = this.#mount.behind(code);
    const message = this.heap.cText(this.api.sqlite3_errmsg(this.#pointer));
    const error = sqliteError(behind?.code ?? code, message, behind?.cause);
    if (this.#mount.fatal !== undefined) {
      this.poison(error);
    } else if (this.#inTransaction && endsTransaction(code)) {
      // SQLite may have rolled back already, and what came next would commit itself, row by row.
      this.#lost ??= error;
    }
    return error;
  }

  /**
   * Writes a copy of the database, without a free page and with its rows side by side, to files that are empty. Takes
   * twice `kibibytes` of memory. Not in a transaction, nor while a statement is between two rows.
   */
  vacuumInto(files: DatabaseFiles, kibibytes: number): void {
    const { vfs } = this.#instance;
    const copy = vfs.mount(files);
    try {
      this.exec(`pragma cache_size=-${kibibytes}`);
      const code = this.tryExec(`vacuum into '${copy.name}'`);
      if (code !== SQLITE_OK) {
        const behind = copy.behind(code);
        throw behind === undefined
          ? this.failed(code)
          : sqliteError(behind.code, 'the database could not be copied', behind.cause);
      }
    } finally {
      vfs.unmount(copy);
      // Its share of the budget again.
      this.#instance.pageCaches.remove(this);
      this.#instance.pageCaches.add(this);
    }
  }

  trapped(cause: unknown): RepoError {
    return this.#instance.trapped(cause);
  }

  /** Refuses every later call. The first reason is the one that is told. */
  poison(error: RepoError): void {
    this.#poison ??= new RepoError(error.code, error.message, { cause: error.cause ?? error });
  }

  /** Runs statements that answer nothing; answers the result code, and throws for a trap alone. */
  tryExec(sql: string): number {
    this.check();
    return this.#exec(sql);
  }

  /** Runs statements that answer nothing. */
  exec(sql: string): void {
    const code = this.tryExec(sql);
    if (code !== SQLITE_OK) {
      throw this.failed(code);
    }
  }

  /** The first column of every row, as text. */
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

  /** @throws {TypeError} when there is not exactly one statement in the text. */
  prepare(sql: string): Pointer {
    this.check();
    const { api, heap } = this;
    const { cell } = this.#instance;
    let code = SQLITE_OK;
    let rest = '';
    heap.withCText(sql, (text) => {
      try {
        code = api.sqlite3_prepare_v2(this.#pointer, text, TO_THE_ZERO_BYTE, cell, cell + 4);
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
      throw new TypeError(`one SQL statement expected; sql=${sql}`);
    }
    return statement;
  }

  /** Notes that a transaction is open from now on. */
  began(): void {
    this.#inTransaction = true;
    this.#mount.markLog();
  }

  /** Notes that none is. */
  ended(): void {
    this.#inTransaction = false;
    this.#lost = undefined;
  }

  /**
   * Rolls back, also what SQLite has rolled back by itself. When that fails, nobody knows what the connection would
   * write next, and it is not used again.
   */
  rollback(): void {
    this.#lost = undefined;
    this.check();
    const code = this.#exec('rollback');
    // SQLITE_ERROR: no transaction is active, which is what was asked for.
    const isEnded = code === SQLITE_OK || code === SQLITE_ERROR;
    this.ended();
    if (!isEnded) {
      const error = this.failed(code);
      this.poison(error);
      throw error;
    }
    if (this.#mount.isHalfWritten) {
      const error = new RepoError('StorageFailed', 'a transaction could neither be ended nor be undone');
      this.poison(error);
      throw error;
    }
  }

  /**
   * Cuts a commit that was refused out of the log. Its last frame may be there though a write behind it failed, and
   * whoever opens the files after a crash would find it whole. When that fails, too, the database is not used again.
   */
  takeBackLog(): void {
    try {
      this.#mount.takeBackLog();
    } catch (cause) {
      this.poison(new RepoError('StorageFailed', 'a commit that was refused could not be taken back', { cause }));
    }
  }

  /**
   * Makes it durable that the log is empty. SQLite does not: where the next thing to be written is a log, an old one
   * that a power cut brings back is told from it. When that fails, the database is not used again.
   */
  flushLog(): void {
    try {
      this.#mount.flushLog();
    } catch (cause) {
      const error = new RepoError('StorageFailed', 'the log could not be made durable', { cause });
      this.poison(error);
      throw error;
    }
  }

  get isTrapped(): boolean {
    return this.#instance.trap !== undefined;
  }

  /** Finalizes a statement; that repeats the error of its last step, which was thrown there. */
  release(statement: Pointer): void {
    if (!this.#closed && !this.isTrapped) {
      try {
        this.api.sqlite3_finalize(statement);
      } catch (error) {
        throw this.trapped(error);
      }
    }
  }

  /** As {@link close}, and writes nothing: SQLite would move the log to the main file. */
  abandon(): void {
    this.#mount.failForGood(SQLITE_IOERR_WRITE, new RepoError('Closed', 'the database was abandoned'));
    this.close();
  }

  /** Lets go of SQLite's side. Statements are finalized before. Never throws. */
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
        // Nothing of this database is lost: what was committed is in its files. The next call to any other tells.
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
