/** The results of a search so far. */
import type { RecordPath, Row, Rows } from './rows.ts';

/** The largest number of results. Each result keeps its record in memory. */
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

  /** All rows are loaded. */
  want(): void {}

  /** Adds rows up to the limit. Returns `false` when the limit is reached. */
  add(rows: readonly Row[]): boolean {
    this.#rows.push(...rows.slice(0, MAX_FOUND - this.#rows.length));
    return this.#rows.length < MAX_FOUND;
  }
}
