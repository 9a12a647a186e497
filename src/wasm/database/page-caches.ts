/** One budget for the page caches of all databases of a process. */

/** A page cache with an adjustable size. */
export interface PageCache {
  /** The largest useful size in kibibytes. */
  readonly largest: number;
  /** Sets its size in kibibytes. A smaller size frees memory at once. */
  resize(kibibytes: number): void;
}

/**
 * Number of most recently used databases that share the budget. The others keep {@link IDLE_KIBIBYTES}, because equal
 * shares for hundreds of databases would be too small.
 */
const MAX_ACTIVE = 4;

/** Enough for the schema and the roots of the tables. */
const IDLE_KIBIBYTES = 64;

export class PageCaches {
  #kibibytes: number;
  readonly #open = new Set<PageCache>();
  /** The caches that share the budget, least recently used first. */
  #active: PageCache[] = [];
  #current: PageCache | undefined;
  /** Limits of single caches in kibibytes. */
  readonly #limits = new Map<PageCache, number>();

  /** @param kibibytes The budget. */
  constructor(kibibytes: number) {
    this.#kibibytes = kibibytes;
  }

  /** Sets the budget of all caches. */
  limit(kibibytes: number): void {
    this.#kibibytes = kibibytes;
    this.#divide();
  }

  add(cache: PageCache): void {
    this.#open.add(cache);
    this.use(cache);
  }

  /** Sets a limit of one cache, or removes it with `undefined`. */
  limitOne(cache: PageCache, kibibytes: number | undefined): void {
    if (this.#limits.get(cache) === kibibytes || !this.#open.has(cache)) {
      return;
    }
    if (kibibytes === undefined) {
      this.#limits.delete(cache);
    } else {
      this.#limits.set(cache, kibibytes);
    }
    if (this.#active.includes(cache)) {
      this.#divide();
    }
  }

  remove(cache: PageCache): void {
    this.#open.delete(cache);
    this.#limits.delete(cache);
    if (this.#current === cache) {
      this.#current = undefined;
    }
    if (this.#active.includes(cache)) {
      this.#active = this.#active.filter((one) => one !== cache);
      this.#divide();
    }
  }

  /**
   * Records the use of a database. Called before each statement. A repeated call for the same cache is one comparison.
   */
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
      const largest = Math.min(cache.largest, this.#limits.get(cache) ?? Infinity);
      cache.resize(Math.min(largest, Math.max(IDLE_KIBIBYTES, share)));
    }
  }
}
