/** The number of blocks. SQLite reads its whole index to count them, so they are counted once per opening. */
export class BlockCount {
  readonly #count: () => number;
  /** `undefined` if it is not known. Includes the blocks of a change in progress. */
  #known: number | undefined;
  /** The number before the change in progress. */
  #before: number | undefined;

  /** @param count Counts the rows. */
  constructor(count: () => number) {
    this.#count = count;
  }

  get(): number {
    this.#known ??= this.#count();
    return this.#known;
  }

  /** Call at the begin of a change. */
  begin(): void {
    this.#before = this.#known;
  }

  /** Notes blocks that the change has added, or removed if `difference` is negative. */
  add(difference: number): void {
    if (this.#known !== undefined) {
      this.#known += difference;
    }
  }

  /** Call when rows were removed in another way. */
  forget(): void {
    this.#known = undefined;
  }

  /** Call when the change was rolled back. */
  undo(): void {
    this.#known = this.#before;
  }
}
