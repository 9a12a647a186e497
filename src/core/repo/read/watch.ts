/** Watches: pages of records that are read again after each change. */
import type { HeadChange } from '../commits.ts';
import type { ListOptions } from '../tree.ts';
import type { JsonRecord } from '../typed-records.ts';

export interface WatchOptions extends ListOptions {
  /** Ends the watch. */
  readonly signal?: AbortSignal | undefined;
}

/** A page of records of one commit. */
export interface RecordPage<C extends string = string> {
  /** The records in the form of `listJson`. */
  readonly records: readonly JsonRecord<C>[];
  /** The cursor of the next page, if this page is full. */
  readonly cursor: string | undefined;
}

/** The result of `watch`. Iterate it once. */
export interface RecordWatch<C extends string = string> extends AsyncIterable<RecordPage<C>> {
  next(): Promise<IteratorResult<RecordPage<C>, undefined>>;
  /** Ends the watch, also while a call of `next` is pending. */
  return(): Promise<IteratorResult<RecordPage<C>, undefined>>;
}

/** The source of a watch. */
export interface WatchedRecords<C extends string> {
  list(): AsyncIterable<JsonRecord<C>>;
  onChange(listener: (change: HeadChange) => void): () => void;
}

const DONE = { done: true, value: undefined } as const;

/** Not an async generator, because a generator that waits for a change cannot be ended until the change comes. */
export class Watch<C extends string> implements RecordWatch<C> {
  readonly #source: WatchedRecords<C>;
  readonly #collection: string | undefined;
  readonly #options: WatchOptions;
  readonly #watches: Set<Watch<never>>;
  /** Serializes calls of `next`. */
  #last: Promise<unknown> = Promise.resolve();
  /** Whether a change came since the last page was started. */
  #hasChanged = true;
  #hasBegun = false;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;

  /** @param watches The running watches. This one adds and removes itself. */
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

  /** Ends the watch. With an error, a pending call rejects with it. */
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
    // Before the first page is read, so that no change is missed.
    this.#unsubscribe = this.#source.onChange((change) => {
      if (this.#concerns(change)) {
        this.#hasChanged = true;
        this.#wake?.();
      }
    });
  }

  #concerns({ created, updated, deleted, incomplete }: HeadChange): boolean {
    const prefix = this.#collection === undefined ? '' : `${this.#collection}/`;
    const isIn = (paths: readonly string[]): boolean => paths.some((path) => path.startsWith(prefix));
    return incomplete === true || [created, updated, deleted].some(isIn);
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
    // TypeScript does not see that `#end` changes during the wait.
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
      // If `close` interrupted the list, the watch has already ended without an error.
      this.end({ error });
      return undefined;
    }
    const last = records.at(-1);
    const isFull = records.length > 0 && records.length === this.#options.limit;
    const cursor = this.#collection === undefined ? `${last?.collection}/${last?.rkey}` : last?.rkey;
    return { records, cursor: isFull ? cursor : undefined };
  }
}
