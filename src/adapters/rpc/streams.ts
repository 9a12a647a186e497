/**
 * Streams across a wire: one end offers items, and the other end reads them, a page at a time. The source is read on
 * demand. CARs, blobs, files and lists all cross in this way.
 */
import { concatBytes } from '../../core/data/bytes.ts';
import { isBytes, isReadableStream } from '../../core/data/platform-values.ts';
import { chunksOf } from '../../core/data/streams.ts';
import { RepoError } from '../../core/errors.ts';

/** Items of a stream or a list, and whether they are the last ones. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly done: boolean;
}

/** A page ends after so many items, so many bytes of them, or the items that were found in so many milliseconds. */
export const MAX_PAGE_ITEMS = 100;
export const MAX_PAGE_BYTES: number = 256 * 1024;
const MAX_PAGE_MS = 50;
/** The same for a source that a page gives: an import that is aborted stops after so many bytes. */
export const MAX_SOURCE_PAGE_BYTES: number = 16 * 1024;
/** Large chunks are cut: two of them are in memory at a time. */
const MAX_CHUNK = 1024 * 1024;

export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

/** An item with a stream of its own is alone on its page. */
const sizeOf = (item: unknown): number => {
  if (Array.isArray(item)) {
    return item.reduce<number>((sum, text) => sum + String(text).length, 0);
  }
  const bytes = isBytes(item) ? item : (item as { readonly bytes?: unknown }).bytes;
  return isBytes(bytes) ? bytes.length : isAsyncIterable(bytes) ? Infinity : 0;
};

/** A page, and the error that came after its items. */
type ReadPage = Page<unknown> & { readonly failure?: { readonly error: unknown } };

/** Reads the next page. Throws the error of an iterator that gives no item before it. */
export const readPage = async (
  iterator: AsyncIterator<unknown>,
  maxBytes: number = MAX_PAGE_BYTES,
  maxMs: number = Infinity,
): Promise<ReadPage> => {
  const items: unknown[] = [];
  // Neighbouring chunks of bytes cross as one.
  const page = (done: boolean): Page<unknown> => ({
    items: items.length > 1 && items.every(isBytes) ? [concatBytes(items)] : items,
    done,
  });
  const since = performance.now();
  let size = 0;
  try {
    do {
      const { done, value } = await iterator.next();
      if (done === true) {
        return page(true);
      }
      size += sizeOf(value);
      items.push(value);
    } while (items.length < MAX_PAGE_ITEMS && size < maxBytes && performance.now() - since < maxMs);
  } catch (error) {
    if (items.length === 0) {
      throw error;
    }
    return { ...page(false), failure: { error } };
  }
  return page(false);
};

/** Copies bytes: a source may use the memory of a chunk again for the next one. */
async function* itemsOf(source: AsyncIterable<unknown> | ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  // Streams of WebKit have no async iterator.
  for await (const item of isReadableStream(source) ? chunksOf(source) : source) {
    if (isBytes(item)) {
      for (let at = 0; at < item.length; at += MAX_CHUNK) {
        yield item.slice(at, at + MAX_CHUNK);
      }
    } else {
      yield item;
    }
  }
}

/** A stream that the other end reads. */
export class OfferedStream {
  /** Rejects the read that waits for a source which gives nothing, and each later one. */
  fail: (error: unknown) => void = () => {};
  readonly #failed: Promise<never>;
  readonly #items: AsyncGenerator<unknown>;
  readonly #maxBytes: number;
  readonly #onEnd: () => void;
  /** What the next read rejects with. */
  #failure: { readonly error: unknown } | undefined;

  /** @param onEnd Called when all items were read, or the stream was left. A stream that failed is not yet left. */
  constructor(source: AsyncIterable<unknown> | ReadableStream<Uint8Array>, maxBytes: number, onEnd: () => void) {
    this.#items = itemsOf(source);
    this.#maxBytes = maxBytes;
    this.#onEnd = onEnd;
    this.#failed = new Promise<never>((_, reject) => (this.fail = reject));
    // The end that reads hears of it, if there is one.
    this.#failed.catch(() => {});
  }

  async read(): Promise<Page<unknown>> {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
    const next = readPage(this.#items, this.#maxBytes, MAX_PAGE_MS);
    const { items, done, failure } = await Promise.race([this.#failed, next]);
    this.#failure = failure;
    if (done) {
      this.#onEnd();
    }
    return { items, done };
  }

  /** Leaves the stream. Resolves when its source has ended. */
  async leave(): Promise<void> {
    this.fail(new RepoError('Closed', 'the reader has ended the stream: read it again from the start'));
    this.#onEnd();
    // Nothing is lost if this fails: the source was only read.
    await this.#items.return(undefined).catch(() => {});
  }
}

/** The items of a stream of the other end. Leaving it ends when its source has ended. */
export async function* itemsFrom(read: () => Promise<Page<unknown>>, leave: () => Promise<void>): AsyncGenerator {
  let isOpen = true;
  try {
    while (isOpen) {
      const page = await read();
      isOpen = !page.done;
      yield* page.items;
    }
  } catch (error) {
    // The other end may not reply to that either.
    isOpen = false;
    void leave();
    throw error;
  } finally {
    if (isOpen) {
      await leave();
    }
  }
}
