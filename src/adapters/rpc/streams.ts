/**
 * Streams across a wire: one end offers items, and the other end reads them, a page at a time. The source is read on
 * demand. CARs, blobs, files and lists all cross in this way.
 */
import { concatBytes } from '../../core/data/bytes.ts';
import { isBytes, isReadableStream } from '../../core/data/platform-values.ts';
import { chunksOf } from '../../core/data/streams.ts';

/** What can be offered. */
export type Source = AsyncIterable<unknown> | ReadableStream<Uint8Array>;

/** Items of a stream, and whether they are the last ones. */
export interface Page {
  readonly items: readonly unknown[];
  readonly done: boolean;
}

/** A page ends after so many items, so many bytes of them, or the items that were found in so many milliseconds. */
const MAX_PAGE_ITEMS = 100;
export const MAX_PAGE_BYTES: number = 256 * 1024;
const MAX_PAGE_MS = 50;
/** The same for a source that a page gives: an import that is aborted stops after so many bytes. */
export const MAX_SOURCE_PAGE_BYTES: number = 16 * 1024;
/** Large chunks are cut: two of them are in memory at a time. */
const MAX_CHUNK = 1024 * 1024;

/** An item with the content of a file is alone on its page. */
const sizeOf = (item: unknown): number => {
  if (Array.isArray(item)) {
    return item.reduce<number>((sum, text) => sum + String(text).length, 0);
  }
  const { bytes, content } = item as { readonly bytes?: unknown; readonly content?: unknown };
  const counted = isBytes(item) ? item : bytes;
  return isBytes(counted) ? counted.length : content === undefined ? 0 : Infinity;
};

/** Copies bytes: a source may use the memory of a chunk again for the next one. */
async function* itemsOf(source: Source): AsyncGenerator<unknown> {
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
export interface OfferedStream {
  /** Reads the next page. An error of the source is thrown after the items before it. */
  read(): Promise<Page>;
  /** Rejects the read that waits, and each later one. Resolves when the source has ended. */
  end(error: unknown): Promise<void>;
}

/** @param maxBytes The size of a page. */
export const offerStream = (source: Source, maxBytes: number): OfferedStream => {
  const iterator = itemsOf(source);
  let fail = (_: unknown): void => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  // The end that reads hears of it, if there is one.
  failed.catch(() => {});
  let failure: { readonly error: unknown } | undefined;
  const readPage = async (): Promise<Page> => {
    if (failure !== undefined) {
      throw failure.error;
    }
    const items: unknown[] = [];
    const since = performance.now();
    let size = 0;
    let isDone = false;
    try {
      while (!isDone && items.length < MAX_PAGE_ITEMS && size < maxBytes && performance.now() - since < MAX_PAGE_MS) {
        const { done, value } = await iterator.next();
        isDone = done === true;
        if (!isDone) {
          size += sizeOf(value);
          items.push(value);
        }
      }
    } catch (error) {
      if (items.length === 0) {
        throw error;
      }
      failure = { error };
    }
    // Neighbouring chunks of bytes cross as one.
    return { items: items.length > 1 && items.every(isBytes) ? [concatBytes(items)] : items, done: isDone };
  };
  return {
    read: () => Promise.race([failed, readPage()]),
    async end(error) {
      fail(error);
      // Nothing is lost if this fails: the source was only read.
      await iterator.return(undefined).catch(() => {});
    },
  };
};

/** The items of a stream of the other end. Leaving it ends when its source has ended. */
export async function* itemsFrom(read: () => Promise<Page>, leave: () => Promise<void>): AsyncGenerator {
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
