/** A list for a report: it keeps the first items and counts all of them. */

/**
 * Items that one list of a report holds: faults, steps of a repair, losses. One fault takes about 5 kB in memory:
 * 90,000 of them took 439 MB.
 */
export const MAX_REPORTED = 1000;

export class BoundedList<T> {
  readonly #items: T[] = [];
  #count = 0;

  /** The first {@link MAX_REPORTED} items. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** How many items were added, those that are not kept included. */
  get count(): number {
    return this.#count;
  }

  /** Counts items without keeping them. */
  addCount(count: number): void {
    this.#count += count;
  }

  add(item: T): void {
    this.#count += 1;
    if (this.#items.length < MAX_REPORTED) {
      this.#items.push(item);
    }
  }
}
