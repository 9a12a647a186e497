/** One budget for the page caches of all databases of a process. */

/** A page cache that can be told how large it may be. */
export interface PageCache {
  /** The most kibibytes that it ever has use for. */
  readonly largest: number;
  /** Sets its size in kibibytes; a smaller one gives back memory at once. */
  resize(kibibytes: number): void;
}

/**
 * Databases that share the budget: those that were used last. Each of the others keeps {@link IDLE_KIBIBYTES}, because
 * an equal share for each of hundreds would leave too little for the one that works.
 */
const MAX_ACTIVE = 4;

/** The schema, and the roots of the tables. */
const IDLE_KIBIBYTES = 64;

export class PageCaches {
  #kibibytes: number;
  readonly #open = new Set<PageCache>();
  /** The caches that share the budget; the one that was used last is the last one. */
  #active: PageCache[] = [];
  #current: PageCache | undefined;

  /** @param kibibytes The budget. */
  constructor(kibibytes: number) {
    this.#kibibytes = kibibytes;
  }

  /** Sets another budget for all caches. */
  limit(kibibytes: number): void {
    this.#kibibytes = kibibytes;
    this.#divide();
  }

  add(cache: PageCache): void {
    this.#open.add(cache);
    this.use(cache);
  }

  remove(cache: PageCache): void {
    this.#open.delete(cache);
    if (this.#current === cache) {
      this.#current = undefined;
    }
    if (this.#active.includes(cache)) {
      this.#active = this.#active.filter((one) => one !== cache);
      this.#divide();
    }
  }

  /** Notes that a database is used. Called before each statement: for the same one again it costs a comparison. */
  use(cache: PageCache): void {
    if (cache === this.#current || !this.#open.has(cache)) {
      return;
    }
    this.#current = cache;
    const isActive = this.#active.includes(cache);
    this.#active = [...this.#active.filter((one) => one !== cache), cache];
    if (!isActive) {
      if (this.#active.length > MAX_ACTIVE) {
        this.#active.shift()!.resize(IDLE_KIBIBYTES);
      }
      this.#divide();
    }
  }

  #divide(): void {
    const share = Math.floor(this.#kibibytes / Math.max(1, this.#active.length));
    for (const cache of this.#active) {
      cache.resize(Math.min(cache.largest, Math.max(IDLE_KIBIBYTES, share)));
    }
  }
}
