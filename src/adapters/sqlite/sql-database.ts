/** The port of {@link KeyValueTable}: the least of an SQL database that it needs. `Database` of `src/wasm` has it. */
import type { Bytes } from '../../core/data/bytes.ts';

/** What a table needs of a prepared statement. Parameters count from 1 and columns from 0, as in SQLite. */
export interface SqlStatement {
  bindBlob(index: number, bytes: Uint8Array): void;
  bindInt(index: number, value: number): void;
  bindText(index: number, text: string): void;
  /** Binds a text that is encoded already, as a copy. */
  bindUtf8(index: number, text: Uint8Array): void;
  /** Whether there is a row, or another one. */
  step(): boolean;
  /** The bytes of a blob, or of a text as it is stored: a copy. */
  columnBlob(index: number): Bytes;
  /** How many bytes {@link columnBlob} answers. */
  columnSize(index: number): number;
  /** Copies these bytes to where there is room for them. */
  columnInto(index: number, into: Uint8Array, at: number): void;
  columnType(index: number): 'blob' | 'integer' | 'null' | 'real' | 'text';
  columnInt(index: number): number;
  columnText(index: number): string;
  reset(): void;
  finalize(): void;
}

/** What a table needs of a database. */
export interface SqlDatabase {
  /** How many rows the last statement inserted, updated or deleted. */
  readonly changes: number;
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
}
