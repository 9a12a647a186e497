/** A list for reports. It keeps the first items and counts all. */

/** Most items in a list of a report. A fault takes about 5 kB of memory: 90,000 faults took 439 MB. */
export const MAX_REPORTED = 1000;

export class BoundedList<T> {
  readonly #items: T[] = [];
  readonly #most: number;
  #count = 0;

  /** @param most Most items that it keeps. */
  constructor(most: number = MAX_REPORTED) {
    this.#most = most;
  }

  /** The first items. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** Number of all added items. */
  get count(): number {
    return this.#count;
  }

  /** Whether further items are only counted. */
  get isFull(): boolean {
    return this.#items.length === this.#most;
  }

  /** Counts items without keeping them. */
  addCount(count: number): void {
    this.#count += count;
  }

  add(item: T): void {
    this.#count += 1;
    if (!this.isFull) {
      this.#items.push(item);
    }
  }
}
