/** The port of {@link KeyValueTable}: what it needs of an SQL database. `Database` of `src/wasm` implements it. */
import type { Bytes } from '../../core/data/bytes.ts';

/** A prepared statement. Parameters count from 1 and columns from 0, as in SQLite. */
export interface SqlStatement {
  bindBlob(index: number, bytes: Uint8Array): void;
  bindInt(index: number, value: number): void;
  bindText(index: number, text: string): void;
  /** Binds a copy of a text that is already encoded. */
  bindUtf8(index: number, text: Uint8Array): void;
  /** Moves to the next row. Returns `false` at the end. */
  step(): boolean;
  /** Returns a copy of the bytes of a blob, or of a text as it is stored. */
  columnBlob(index: number): Bytes;
  /** Returns the length of {@link columnBlob} in bytes. */
  columnSize(index: number): number;
  /** Copies the bytes of {@link columnBlob} into `into`, from offset `at`. */
  columnInto(index: number, into: Uint8Array, at: number): void;
  columnType(index: number): 'blob' | 'integer' | 'null' | 'real' | 'text';
  columnInt(index: number): number;
  columnText(index: number): string;
  reset(): void;
  finalize(): void;
}

/** What {@link KeyValueTable} needs of a database. */
export interface SqlDatabase {
  /** How many rows the last statement inserted, updated or deleted. */
  readonly changes: number;
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
}
