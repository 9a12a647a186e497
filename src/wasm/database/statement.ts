/** A prepared statement. */
import type { Bytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { Pointer } from '../c-api/c-api.ts';
import type { Connection } from './connection.ts';
import { SQLITE_DONE, SQLITE_OK, SQLITE_ROW } from '../c-api/result-codes.ts';
import { Scratch } from './scratch.ts';

export type ColumnType = 'blob' | 'integer' | 'null' | 'real' | 'text';

/** In the order of SQLite's codes, from 1. */
const COLUMN_TYPES: readonly ColumnType[] = ['integer', 'real', 'text', 'blob', 'null'];

/** Passed to SQLite as the destructor: bound bytes stay valid while they are bound. */
const SQLITE_STATIC = 0;

/**
 * Parameters count from 1 and columns from 0, as in SQLite. After {@link step}, call {@link reset} before binding
 * again.
 */
export class Statement {
  readonly #connection: Connection;
  readonly #scratch: Scratch;
  readonly #finalized: (statement: Statement) => void;
  #pointer: Pointer;

  /** @param finalized Called once, when the statement is finalized. */
  constructor(connection: Connection, sql: string, finalized: (statement: Statement) => void) {
    this.#connection = connection;
    this.#pointer = connection.prepare(sql);
    this.#scratch = new Scratch(connection.heap);
    this.#finalized = finalized;
  }

  /** Binds a text. Lone surrogates become U+FFFD. */
  bindText(index: number, text: string): void {
    this.#check();
    const { api, heap } = this.#connection;
    const room = heap.roomFor(text);
    const pointer = this.#scratch.take(room);
    const length = heap.setText(pointer, text);
    this.#scratch.trim(pointer, length);
    this.#bound(api.sqlite3_bind_text(this.#pointer, index, pointer, length, SQLITE_STATIC));
  }

  /** Binds a copy of UTF-8 bytes as a text. */
  bindUtf8(index: number, text: Uint8Array): void {
    this.#check();
    const { api } = this.#connection;
    this.#bound(api.sqlite3_bind_text(this.#pointer, index, this.#keep(text), text.length, SQLITE_STATIC));
  }

  /** Binds a copy of bytes. */
  bindBlob(index: number, bytes: Uint8Array): void {
    this.#check();
    const { api } = this.#connection;
    this.#bound(api.sqlite3_bind_blob(this.#pointer, index, this.#keep(bytes), bytes.length, SQLITE_STATIC));
  }

  /** @throws {TypeError} when `value` is not a safe integer. */
  bindInt(index: number, value: number): void {
    this.#check();
    if (!Number.isSafeInteger(value)) {
      throw new TypeError(`expected a safe integer to bind; value=${value}`);
    }
    const { api } = this.#connection;
    // sql.js does not export the 64-bit call. A double can hold a safe integer, and SQLite stores and compares it as an
    // integer.
    const isSmall = (value | 0) === value;
    this.#bound(
      isSmall
        ? api.sqlite3_bind_int(this.#pointer, index, value)
        : api.sqlite3_bind_double(this.#pointer, index, value),
    );
  }

  /** Binds NULL, which is also the value after {@link reset}. */
  bindNull(index: number): void {
    this.#check();
    this.#bound(this.#connection.api.sqlite3_bind_text(this.#pointer, index, 0, 0, SQLITE_STATIC));
  }

  /**
   * Steps to the next row. Returns `false` after the last row. Resets the statement after an error.
   *
   * @throws {RepoError} `StorageFull`, `StorageFailed`, `Corrupt` or `Locked`, with the error of the files as its
   *   cause.
   */
  step(): boolean {
    this.#check();
    let code: number;
    try {
      code = this.#connection.api.sqlite3_step(this.#pointer);
    } catch (error) {
      throw this.#connection.trapped(error);
    }
    if (code === SQLITE_ROW) {
      return true;
    }
    if (code === SQLITE_DONE) {
      return false;
    }
    const error = this.#connection.failed(code);
    this.#rewind();
    throw error;
  }

  /** Binds the values in order, steps through all rows and resets. */
  run(...values: readonly (string | number | Uint8Array | undefined)[]): void {
    try {
      values.forEach((value, i) => this.#bind(i + 1, value));
      while (this.step());
    } finally {
      this.reset();
    }
  }

  columnType(column: number): ColumnType {
    return COLUMN_TYPES[this.#connection.api.sqlite3_column_type(this.#pointer, column) - 1]!;
  }

  columnIsNull(column: number): boolean {
    return this.columnType(column) === 'null';
  }

  /** Returns a column as text. NULL is an empty text. */
  columnText(column: number): string {
    const { api, heap } = this.#connection;
    const text = api.sqlite3_column_text(this.#pointer, column);
    return heap.text(text, api.sqlite3_column_bytes(this.#pointer, column));
  }

  /** Returns a copy of a column's bytes. NULL is empty. */
  columnBlob(column: number): Bytes {
    const { api, heap } = this.#connection;
    const bytes = api.sqlite3_column_blob(this.#pointer, column);
    return heap.copy(bytes, api.sqlite3_column_bytes(this.#pointer, column));
  }

  /** Returns the number of bytes that {@link columnBlob} returns. */
  columnSize(column: number): number {
    const { api } = this.#connection;
    // In this order: the first call converts the value to a blob.
    api.sqlite3_column_blob(this.#pointer, column);
    return api.sqlite3_column_bytes(this.#pointer, column);
  }

  /** Copies a column's bytes into a buffer at `at`. */
  columnInto(column: number, into: Uint8Array, at: number): void {
    const { api, heap } = this.#connection;
    const bytes = api.sqlite3_column_blob(this.#pointer, column);
    into.set(heap.view(bytes, api.sqlite3_column_bytes(this.#pointer, column)), at);
  }

  /** Returns a column as a number, exact for safe integers. NULL is 0. */
  columnInt(column: number): number {
    return this.#connection.api.sqlite3_column_double(this.#pointer, column);
  }

  /** Resets the statement to before the first row and clears all bindings. Safe at any time. */
  reset(): void {
    if (this.#pointer !== 0 && this.#connection.isUsable) {
      this.#rewind();
    }
  }

  /** Frees the statement. A second call does nothing. Every other call then throws `Closed`. */
  finalize(): void {
    const pointer = this.#pointer;
    if (pointer === 0) {
      return;
    }
    this.#pointer = 0;
    this.#finalized(this);
    this.#connection.release(pointer);
    if (!this.#connection.isTrapped) {
      this.#scratch.free();
    }
  }

  #bind(index: number, value: string | number | Uint8Array | undefined): void {
    if (typeof value === 'string') {
      this.bindText(index, value);
    } else if (typeof value === 'number') {
      this.bindInt(index, value);
    } else if (value === undefined) {
      this.bindNull(index);
    } else {
      this.bindBlob(index, value);
    }
  }

  /** Returns a pointer to a copy that is valid until the next reset. */
  #keep(bytes: Uint8Array): Pointer {
    const pointer = this.#scratch.take(bytes.length);
    this.#connection.heap.bytes.set(bytes, pointer);
    return pointer;
  }

  #bound(code: number): void {
    if (code !== SQLITE_OK) {
      throw this.#connection.failed(code);
    }
  }

  #check(): void {
    if (this.#pointer === 0) {
      throw new RepoError('Closed', 'the statement is finalized: prepare it again');
    }
    this.#connection.check();
  }

  #rewind(): void {
    const { api } = this.#connection;
    try {
      // The result code repeats the error of the last step, so it is ignored.
      api.sqlite3_reset(this.#pointer);
      api.sqlite3_clear_bindings(this.#pointer);
    } catch (error) {
      throw this.#connection.trapped(error);
    }
    this.#scratch.clear();
  }
}
