/** The number of blocks. SQLite reads a whole index to count them, so the number is stored with the head. */

export interface BlockCountSource {
  /** Counts the rows. */
  count(): number;
  /** Returns the stored number if it belongs to this state of the tables. */
  stored(): number | undefined;
}

export class BlockCount {
  readonly #source: BlockCountSource;
  /** `undefined` if it is not known. Includes the blocks of a change in progress. */
  #known: number | undefined;
  /** Whether the known number comes from a count of this opening. */
  #isCounted = false;
  /** Whether the stored number was read. It is read once: the state that it belongs to may come back by removals. */
  #isLoaded = false;
  /** The state before the change in progress. */
  #before: readonly [known: number | undefined, isCounted: boolean] = [undefined, false];

  constructor(source: BlockCountSource) {
    this.#source = source;
  }

  /** The number, or `undefined` if rows must be counted to know it. */
  get known(): number | undefined {
    return this.#known;
  }

  /** Returns the number. It is wrong if another program has removed blocks without moving the head. */
  get(): number {
    this.#load();
    return this.#known ?? this.exact();
  }

  /** The same, but does not trust the stored number. */
  exact(): number {
    if (!this.#isCounted || this.#known === undefined) {
      this.#known = this.#source.count();
      this.#isCounted = true;
    }
    return this.#known;
  }

  /** Call at the begin of a change. */
  begin(): void {
    this.#load();
    this.#before = [this.#known, this.#isCounted];
  }

  /** Notes blocks that the change has added, or removed if `difference` is negative. */
  add(difference: number): void {
    if (this.#known !== undefined) {
      this.#known += difference;
    }
  }

  /** Call when rows were removed in another way. */
  forget(): void {
    this.#isLoaded = true;
    this.#known = undefined;
  }

  /** Call when the change was rolled back. */
  undo(): void {
    [this.#known, this.#isCounted] = this.#before;
  }

  #load(): void {
    if (!this.#isLoaded) {
      this.#isLoaded = true;
      this.#known ??= this.#source.stored();
    }
  }
}
