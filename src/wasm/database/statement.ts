/** A prepared statement: bound, stepped and reset over and over. */
import type { Bytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { Pointer } from '../c-api/c-api.ts';
import type { Connection } from './connection.ts';
import { SQLITE_DONE, SQLITE_OK, SQLITE_ROW } from '../c-api/result-codes.ts';
import { Scratch } from './scratch.ts';

export type ColumnType = 'blob' | 'integer' | 'null' | 'real' | 'text';

/** In the order of SQLite's codes, from 1. */
const COLUMN_TYPES: readonly ColumnType[] = ['integer', 'real', 'text', 'blob', 'null'];

/** Told to SQLite instead of a destructor: the bytes stay where they are for as long as they are bound. */
const SQLITE_STATIC = 0;

/**
 * Parameters count from 1 and columns from 0, as in SQLite. Between two uses comes a {@link reset}: before it, nothing
 * can be bound once {@link step} was called.
 */
export class Statement {
  readonly #connection: Connection;
  readonly #scratch: Scratch;
  readonly #finalized: (statement: Statement) => void;
  #pointer: Pointer;

  /** `finalized` is called once, when this statement is. */
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
    const piece = this.#scratch.take(room);
    const length = heap.setText(piece, text);
    this.#scratch.trim(piece, length);
    this.#bound(api.sqlite3_bind_text(this.#pointer, index, piece, length, SQLITE_STATIC));
  }

  /** Binds a text that is UTF-8 already, as a copy. */
  bindUtf8(index: number, text: Uint8Array): void {
    this.#check();
    const { api } = this.#connection;
    this.#bound(api.sqlite3_bind_text(this.#pointer, index, this.#keep(text), text.length, SQLITE_STATIC));
  }

  /** Binds a copy of the bytes; they are the caller's again at once. */
  bindBlob(index: number, bytes: Uint8Array): void {
    this.#check();
    const { api } = this.#connection;
    this.#bound(api.sqlite3_bind_blob(this.#pointer, index, this.#keep(bytes), bytes.length, SQLITE_STATIC));
  }

  /** @throws {TypeError} unless `value` is a safe integer. */
  bindInt(index: number, value: number): void {
    this.#check();
    if (!Number.isSafeInteger(value)) {
      throw new TypeError(`a safe integer expected; value=${value}`);
    }
    const { api } = this.#connection;
    // sql.js does not export the 64-bit call; a double holds a safe integer, and SQLite stores and compares it as that.
    const isSmall = (value | 0) === value;
    this.#bound(
      isSmall
        ? api.sqlite3_bind_int(this.#pointer, index, value)
        : api.sqlite3_bind_double(this.#pointer, index, value),
    );
  }

  /** Binds NULL, which is what is bound after a {@link reset} anyway. */
  bindNull(index: number): void {
    this.#check();
    this.#bound(this.#connection.api.sqlite3_bind_text(this.#pointer, index, 0, 0, SQLITE_STATIC));
  }

  /**
   * Goes on to the next row; false after the last. After an error the statement is reset.
   *
   * @throws {RepoError} `StorageFull`, `StorageFailed`, `Corrupt` or `Locked`, with what the files threw as its cause.
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

  /** Binds each value in turn, goes through all rows and resets. */
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

  /** A column as text; empty for NULL. */
  columnText(column: number): string {
    const { api, heap } = this.#connection;
    const text = api.sqlite3_column_text(this.#pointer, column);
    return heap.text(text, api.sqlite3_column_bytes(this.#pointer, column));
  }

  /** A copy of a column's bytes; of none for NULL. */
  columnBlob(column: number): Bytes {
    const { api, heap } = this.#connection;
    const bytes = api.sqlite3_column_blob(this.#pointer, column);
    return heap.copy(bytes, api.sqlite3_column_bytes(this.#pointer, column));
  }

  /** How many bytes {@link columnBlob} answers. */
  columnSize(column: number): number {
    const { api } = this.#connection;
    // In this order: asking for the bytes settles what they are.
    api.sqlite3_column_blob(this.#pointer, column);
    return api.sqlite3_column_bytes(this.#pointer, column);
  }

  /** Copies a column's bytes to where there is room for them. */
  columnInto(column: number, into: Uint8Array, at: number): void {
    const { api, heap } = this.#connection;
    const bytes = api.sqlite3_column_blob(this.#pointer, column);
    into.set(heap.view(bytes, api.sqlite3_column_bytes(this.#pointer, column)), at);
  }

  /** A column as a number, exact for safe integers; 0 for NULL. */
  columnInt(column: number): number {
    return this.#connection.api.sqlite3_column_double(this.#pointer, column);
  }

  /** Makes ready for the next use: back before the first row, and nothing is bound. Safe at any time. */
  reset(): void {
    if (this.#pointer !== 0 && this.#connection.isUsable) {
      this.#rewind();
    }
  }

  /** Frees it. A second call does nothing; every other call throws `Closed` from now on. */
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

  /** A copy that stays where it is until the next reset. */
  #keep(bytes: Uint8Array): Pointer {
    const piece = this.#scratch.take(bytes.length);
    this.#connection.heap.bytes.set(bytes, piece);
    return piece;
  }

  #bound(code: number): void {
    if (code !== SQLITE_OK) {
      throw this.#connection.failed(code);
    }
  }

  #check(): void {
    if (this.#pointer === 0) {
      throw new RepoError('Closed', 'the statement is finalized');
    }
    this.#connection.check();
  }

  #rewind(): void {
    const { api } = this.#connection;
    try {
      // It repeats the error of the last step, which was thrown there.
      api.sqlite3_reset(this.#pointer);
      api.sqlite3_clear_bindings(this.#pointer);
    } catch (error) {
      throw this.#connection.trapped(error);
    }
    this.#scratch.clear();
  }
}
