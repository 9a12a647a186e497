/** Pages of records that are read again whenever they have changed. */
import type { HeadChange } from '../commits.ts';
import type { ListOptions } from '../tree.ts';
import type { JsonRecord } from '../typed-records.ts';

export interface WatchOptions extends ListOptions {
  /** Ends the watch. */
  readonly signal?: AbortSignal | undefined;
}

/** The records of one state. */
export interface RecordPage<C extends string = string> {
  /** As `listJson` returns them. */
  readonly records: readonly JsonRecord<C>[];
  /** The cursor of the next page, where the page has as many records as its limit allows. */
  readonly cursor: string | undefined;
}

/** What `watch` returns: to be iterated once. */
export interface RecordWatch<C extends string = string> extends AsyncIterable<RecordPage<C>> {
  next(): Promise<IteratorResult<RecordPage<C>, undefined>>;
  /** Ends the watch, also while a page is waited for. */
  return(): Promise<IteratorResult<RecordPage<C>, undefined>>;
}

/** What a watch reads from. */
export interface WatchedRecords<C extends string> {
  list(): AsyncIterable<JsonRecord<C>>;
  onChange(listener: (change: HeadChange) => void): () => void;
}

const DONE = { done: true, value: undefined } as const;

/** By hand: an async generator that waits for a change cannot be ended before that comes. */
export class Watch<C extends string> implements RecordWatch<C> {
  readonly #source: WatchedRecords<C>;
  readonly #collection: string | undefined;
  readonly #options: WatchOptions;
  readonly #watches: Set<Watch<never>>;
  /** One page at a time, in the order of the calls. */
  #last: Promise<unknown> = Promise.resolve();
  /** Changes since the last page was begun are one: the next page shows them all. */
  #hasChanged = true;
  #hasBegun = false;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;

  /** @param watches Has this one in it while it runs. */
  constructor(
    source: WatchedRecords<C>,
    collection: string | undefined,
    options: WatchOptions,
    watches: Set<Watch<never>>,
  ) {
    this.#source = source;
    this.#collection = collection;
    this.#options = options;
    this.#watches = watches;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<RecordPage<C>, undefined>> {
    const page = this.#last.then(() => this.#take());
    this.#last = page.catch(() => undefined);
    return page;
  }

  async return(): Promise<IteratorResult<RecordPage<C>, undefined>> {
    this.end({});
    return DONE;
  }

  /** Ends the watch; with an error, the call that waits rejects with it. */
  end(how: { readonly error?: unknown }): void {
    this.#end ??= how;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#watches.delete(this as unknown as Watch<never>);
    this.#unsubscribe?.();
    this.#wake?.();
  }

  readonly #abort = (): void => this.end({});

  #begin(): void {
    this.#hasBegun = true;
    const { signal } = this.#options;
    if (signal?.aborted === true) {
      this.end({});
      return;
    }
    signal?.addEventListener('abort', this.#abort);
    this.#watches.add(this as unknown as Watch<never>);
    // Before the first page is read, so that no change falls between the two.
    this.#unsubscribe = this.#source.onChange((change) => {
      if (this.#concerns(change)) {
        this.#hasChanged = true;
        this.#wake?.();
      }
    });
  }

  #concerns({ created, updated, deleted }: HeadChange): boolean {
    const prefix = this.#collection === undefined ? '' : `${this.#collection}/`;
    return [created, updated, deleted].some((paths) => paths.some((path) => path.startsWith(prefix)));
  }

  async #take(): Promise<IteratorResult<RecordPage<C>, undefined>> {
    if (!this.#hasBegun && this.#end === undefined) {
      this.#begin();
    }
    while (this.#end === undefined && !this.#hasChanged) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const page = this.#end === undefined ? await this.#read() : undefined;
    // TypeScript does not see that the wait changes it.
    const end = this.#end as { readonly error?: unknown } | undefined;
    if (end?.error !== undefined) {
      this.#end = {};
      throw end.error;
    }
    return end !== undefined || page === undefined ? DONE : { done: false, value: page };
  }

  async #read(): Promise<RecordPage<C> | undefined> {
    this.#hasChanged = false;
    const records: JsonRecord<C>[] = [];
    try {
      for await (const record of this.#source.list()) {
        if (this.#end !== undefined) {
          return undefined;
        }
        records.push(record);
      }
    } catch (error) {
      // What a close interrupts has ended, and has not failed.
      this.end({ error });
      return undefined;
    }
    const last = records.at(-1);
    const isFull = records.length > 0 && records.length === this.#options.limit;
    const cursor = this.#collection === undefined ? `${last?.collection}/${last?.rkey}` : last?.rkey;
    return { records, cursor: isFull ? cursor : undefined };
  }
}
