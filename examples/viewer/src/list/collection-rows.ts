/**
 * The rows of a collection of any size. All keys are read once in the background (13 characters each; 100,000
 * keys took a few hundred milliseconds), and records are read in pages around the visible rows.
 */
import type { Repo } from 'pdsdb';
import type { RecordPath, Row, Rows } from './rows.ts';
import { readRows } from './rows.ts';

/** A screen shows about fifteen rows. */
const PAGE_SIZE = 100;

/** The largest number of cached records: at about 1 kB each, a few megabytes. */
const MAX_PAGES = 40;

/** Keys between two notifications. */
const KEYS_AT_ONCE = 5_000;

export class CollectionRows implements Rows {
  readonly collection: string;
  readonly count: number;
  readonly #repo: Repo;
  readonly #onArrival: () => void;
  readonly #onError: (error: unknown) => void;
  /** The keys that were read so far, newest first. */
  readonly #keys: string[] = [];
  /** In the order of the last use. */
  readonly #pages = new Map<number, readonly Row[]>();
  #wanted: readonly [first: number, last: number] | undefined;
  #isReading = false;
  #isClosed = false;

  /** `onArrival` is called when more rows are loaded, `onError` when reading fails. */
  constructor(repo: Repo, collection: string, count: number, onArrival: () => void, onError: (error: unknown) => void) {
    this.collection = collection;
    this.count = count;
    this.#repo = repo;
    this.#onArrival = onArrival;
    this.#onError = onError;
    this.#readKeys().catch((error: unknown) => this.#fail(error));
  }

  at(index: number): Row | undefined {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE];
  }

  pathOf(index: number): RecordPath | undefined {
    const rkey = this.#keys[index] ?? this.at(index)?.rkey;
    return rkey === undefined ? undefined : { collection: this.collection, rkey };
  }

  want(first: number, last: number): void {
    this.#wanted = [first, Math.min(last, this.count)];
    this.#readPages();
  }

  /** Returns the index of a key, or -1 while it is not known. */
  indexOf(rkey: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! > rkey) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return this.#keys[low] === rkey ? low : -1;
  }

  /** Stops reading and notifying. */
  close(): void {
    this.#isClosed = true;
  }

  async #readKeys(): Promise<void> {
    const tree = await this.#repo.checkout();
    for await (const { rkey } of tree.entries(this.collection, { reverse: true })) {
      if (this.#isClosed) {
        return;
      }
      this.#keys.push(rkey);
      if (this.#keys.length % KEYS_AT_ONCE === 0) {
        this.#arrived();
      }
    }
    this.#arrived();
  }

  #arrived(): void {
    if (!this.#isClosed) {
      this.#onArrival();
      this.#readPages();
    }
  }

  #fail(error: unknown): void {
    if (!this.#isClosed) {
      this.#onError(error);
    }
  }

  /** Loads one page at a time, always a visible one, so that fast scrolling past 1,000 pages loads only a few. */
  #readPages(): void {
    if (this.#isReading || this.#isClosed) {
      return;
    }
    const page = this.#nextPage();
    if (page === undefined) {
      return;
    }
    this.#isReading = true;
    this.#readPage(page).then(
      () => {
        this.#isReading = false;
        this.#arrived();
      },
      (error: unknown) => {
        this.#isReading = false;
        this.#fail(error);
      },
    );
  }

  #nextPage(): number | undefined {
    if (this.#wanted === undefined) {
      return undefined;
    }
    const [first, last] = this.#wanted;
    for (let page = Math.floor(first / PAGE_SIZE); page * PAGE_SIZE < last; page++) {
      const isReachable = page === 0 || this.#keys.length >= page * PAGE_SIZE;
      if (!this.#pages.has(page) && isReachable) {
        return page;
      }
    }
    return undefined;
  }

  async #readPage(page: number): Promise<void> {
    const rows: Row[] = [];
    const cursor = page === 0 ? undefined : this.#keys[page * PAGE_SIZE - 1];
    for await (const row of readRows(this.#repo, this.collection, { cursor, limit: PAGE_SIZE })) {
      rows.push(row);
    }
    this.#pages.set(page, rows);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > MAX_PAGES && oldest !== undefined) {
      this.#pages.delete(oldest);
    }
  }
}
