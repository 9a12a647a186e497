/**
 * A database in a folder without a repository: SQLite and its files, with one `close`.
 */
import type { Database } from '../../wasm/database/database.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { loadSqlite } from '../../wasm/database/sqlite.ts';
import type { SqlDatabase, SqlStatement } from '../sqlite/sql-database.ts';

/** An open database in a locked folder. Every method except `close` is synchronous, and throws `Closed` after it. */
export interface FolderDatabase extends SqlDatabase, AsyncDisposable {
  /**
   * Runs one transaction and returns the result of `run`. The transaction is then committed and durable. If `run`
   * throws, the transaction is rolled back and the error is thrown.
   */
  transaction<T>(run: () => T): T;
  /** Closes the database and releases the lock. A second call does nothing. */
  close(): Promise<void>;
}

/** Opens a database over files. Its `close` also closes the files. If it cannot be opened, the files are closed. */
export const openFolderDatabase = async (
  wasm: WebAssembly.Module,
  openFiles: () => Promise<DatabaseFiles>,
): Promise<FolderDatabase> => {
  const sqlite = await loadSqlite(wasm);
  const files = await openFiles();
  try {
    return new OpenDatabase(sqlite.open(files), files);
  } catch (error) {
    await files.close();
    throw error;
  }
};

class OpenDatabase implements FolderDatabase {
  readonly #database: Database;
  readonly #files: DatabaseFiles;

  constructor(database: Database, files: DatabaseFiles) {
    this.#database = database;
    this.#files = files;
  }

  get changes(): number {
    return this.#database.changes;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  prepare(sql: string): SqlStatement {
    return this.#database.prepare(sql);
  }

  transaction<T>(run: () => T): T {
    return this.#database.transaction(run);
  }

  async close(): Promise<void> {
    try {
      this.#database.close();
    } finally {
      await this.#files.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
