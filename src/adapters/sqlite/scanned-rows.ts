/** Rows in one piece of memory, which is the caller's: a piece for each value would keep the garbage collector busy. */
import type { Bytes } from '../../core/data/bytes.ts';
import type { SqlStatement } from './sql-database.ts';

const FIRST_SIZE = 64 * 1024;

export class ScannedRows {
  /** Where each key begins, where its value does, right behind it, and where that ends. */
  readonly keys: number[] = [];
  readonly values: number[] = [];
  readonly ends: number[] = [];
  #memory: Bytes = new Uint8Array(FIRST_SIZE);
  #size = 0;

  /** All rows, one behind the other. */
  get memory(): Bytes {
    return this.#memory;
  }

  /** Bytes of all rows together. */
  get size(): number {
    return this.#size;
  }

  /** Adds the row at which a statement is. */
  add(statement: SqlStatement, key: number, value: number): void {
    this.keys.push(this.#size);
    this.#append(statement, key);
    this.values.push(this.#size);
    this.#append(statement, value);
    this.ends.push(this.#size);
  }

  #append(statement: SqlStatement, column: number): void {
    const end = this.#size + statement.columnSize(column);
    if (end > this.#memory.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#memory.length));
      larger.set(this.#memory.subarray(0, this.#size));
      this.#memory = larger;
    }
    statement.columnInto(column, this.#memory, this.#size);
    this.#size = end;
  }
}
