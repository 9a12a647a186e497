/** The rows that a search has found so far. */
import type { RecordPath, Row, Rows } from './rows.ts';

/** Nobody reads further, and each holds its record. */
export const MAX_FOUND: number = 5_000;

export class FoundRows implements Rows {
  readonly #rows: Row[] = [];

  get count(): number {
    return this.#rows.length;
  }

  at(index: number): Row | undefined {
    return this.#rows[index];
  }

  pathOf(index: number): RecordPath | undefined {
    const row = this.#rows[index];
    return row === undefined ? undefined : { collection: row.collection, rkey: row.rkey };
  }

  /** All of them are here. */
  want(): void {}

  /** Takes them in, as long as there is room; `false` when there is none left. */
  add(rows: readonly Row[]): boolean {
    this.#rows.push(...rows.slice(0, MAX_FOUND - this.#rows.length));
    return this.#rows.length < MAX_FOUND;
  }
}
