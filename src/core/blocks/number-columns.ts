/** Numbers in rows, for one row per block of a CAR. */

/** Rows per segment. With segments, a growing table copies nothing and reserves little spare memory. */
const SEGMENT_BITS = 10;
const SEGMENT: number = 1 << SEGMENT_BITS;

/** A table of unsigned 32-bit numbers. New rows have zeros. */
export class NumberColumns {
  readonly #columns: number;
  readonly #segments: Uint32Array[] = [];

  /** @param columns Numbers per row. */
  constructor(columns: number) {
    this.#columns = columns;
  }

  get(row: number, column: number): number {
    return this.#segments[row >> SEGMENT_BITS]![(row & (SEGMENT - 1)) * this.#columns + column]!;
  }

  /** @param row A row of the table, or the row after its last one. */
  set(row: number, column: number, value: number): void {
    const segment = row >> SEGMENT_BITS;
    if (segment === this.#segments.length) {
      this.#segments.push(new Uint32Array(SEGMENT * this.#columns));
    }
    this.#segments[segment]![(row & (SEGMENT - 1)) * this.#columns + column] = value;
  }
}
