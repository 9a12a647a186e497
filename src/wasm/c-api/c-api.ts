/**
 * The functions of SQLite's C interface that sql.js exports, under their C names.
 * https://sqlite.org/c3ref/funclist.html
 *
 * The `Database` class of sql.js is not used: it names files at random, unlinks them at close and drops result codes.
 */
import { RepoError } from '../../core/errors.ts';

/** An address in the instance's memory. 0 is the null pointer. */
export type Pointer = number;

export interface CApi {
  readonly free: (pointer: Pointer) => void;
  /** Returns 0 if memory is exhausted. */
  readonly malloc: (size: number) => Pointer;
  readonly sqlite3_bind_blob: (
    statement: Pointer,
    index: number,
    bytes: Pointer,
    length: number,
    destructor: number,
  ) => number;
  readonly sqlite3_bind_double: (statement: Pointer, index: number, value: number) => number;
  readonly sqlite3_bind_int: (statement: Pointer, index: number, value: number) => number;
  readonly sqlite3_bind_text: (
    statement: Pointer,
    index: number,
    text: Pointer,
    length: number,
    destructor: number,
  ) => number;
  readonly sqlite3_changes: (database: Pointer) => number;
  readonly sqlite3_clear_bindings: (statement: Pointer) => number;
  readonly sqlite3_close_v2: (database: Pointer) => number;
  readonly sqlite3_column_blob: (statement: Pointer, column: number) => Pointer;
  readonly sqlite3_column_bytes: (statement: Pointer, column: number) => number;
  readonly sqlite3_column_double: (statement: Pointer, column: number) => number;
  readonly sqlite3_column_text: (statement: Pointer, column: number) => Pointer;
  readonly sqlite3_column_type: (statement: Pointer, column: number) => number;
  readonly sqlite3_errmsg: (database: Pointer) => Pointer;
  readonly sqlite3_exec: (database: Pointer, sql: Pointer, callback: 0, context: 0, message: 0) => number;
  readonly sqlite3_finalize: (statement: Pointer) => number;
  readonly sqlite3_open: (name: Pointer, database: Pointer) => number;
  readonly sqlite3_prepare_v2: (
    database: Pointer,
    sql: Pointer,
    length: number,
    statement: Pointer,
    tail: Pointer,
  ) => number;
  readonly sqlite3_reset: (statement: Pointer) => number;
  readonly sqlite3_step: (statement: Pointer) => number;
}

/** The same names as values, to check the exports of sql.js. The compiler keeps both equal. */
const NAMES: Readonly<Record<keyof CApi, true>> = {
  free: true,
  malloc: true,
  sqlite3_bind_blob: true,
  sqlite3_bind_double: true,
  sqlite3_bind_int: true,
  sqlite3_bind_text: true,
  sqlite3_changes: true,
  sqlite3_clear_bindings: true,
  sqlite3_close_v2: true,
  sqlite3_column_blob: true,
  sqlite3_column_bytes: true,
  sqlite3_column_double: true,
  sqlite3_column_text: true,
  sqlite3_column_type: true,
  sqlite3_errmsg: true,
  sqlite3_exec: true,
  sqlite3_finalize: true,
  sqlite3_open: true,
  sqlite3_prepare_v2: true,
  sqlite3_reset: true,
  sqlite3_step: true,
};

/** Returns the error for another version of sql.js. */
export const wrongSqlJs = (detail: string): RepoError =>
  new RepoError('StorageFailed', `not the sql.js that pdsdb needs: install the version of its package.json; ${detail}`);

/**
 * Returns the C functions of a loaded sql.js. C names have an underscore there, Emscripten's own do not.
 *
 * @throws {RepoError} `StorageFailed` when a function is missing, as in another build of sql.js.
 */
export const cApiOf = (sqlJs: unknown): CApi => {
  const exported = sqlJs as Readonly<Record<string, unknown>>;
  // A new object: that of sql.js has a hundred members, and lookups in it slow down `step`.
  const api: Record<string, unknown> = {};
  for (const name of Object.keys(NAMES)) {
    const member = exported[`_${name}`] ?? exported[name];
    if (typeof member !== 'function') {
      throw wrongSqlJs(`missing=${name}`);
    }
    api[name] = member;
  }
  return api as unknown as CApi;
};
