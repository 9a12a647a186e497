/**
 * Streams across a wire: one end offers items under a name, and the other pulls them, a page at a time. Nothing is read
 * before it is pulled. CARs, blobs, files and lists all cross in this way.
 */
import { concatBytes } from '../../core/data/bytes.ts';
import { isBytes } from '../../core/data/platform-values.ts';
import { RepoError } from '../../core/errors.ts';
import { uniqueName } from './unique-name.ts';

/** A stream of the other end, by its name. No value of ours has a field of this name. */
export interface WireStream {
  readonly '/stream': string;
}

/** Items of a stream or a list, and whether they are the last ones. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly done: boolean;
}

/** The other end does not know a stream or a tree: another one has taken its place. */
export const GONE = 'gone';
export type Gone = typeof GONE;

/** A page ends after so many items, so many bytes of them, or the items that were found in so many milliseconds. */
export interface PageLimits {
  readonly items?: number | undefined;
  readonly bytes?: number | undefined;
}

export const MAX_PAGE_ITEMS = 100;
const MAX_PAGE_BYTES = 256 * 1024;
const MAX_PAGE_MS = 50;

const lost: WeakSet<object> = /* @__PURE__ */ new WeakSet();

/** The error of a stream whose end was replaced. */
export const lostStream = (): RepoError => {
  const message = 'the tab that had the repository open went away while a stream was read: read it again';
  const error = new RepoError('StorageFailed', message);
  lost.add(error);
  return error;
};

/** Whether another end may continue a stream that has failed. */
export const isLost = (error: unknown): boolean => lost.has(error as object);

export const isWireStream = (value: unknown): value is WireStream =>
  typeof value === 'object' && value !== null && '/stream' in value;

const sizeOf = (item: unknown): number => {
  if (Array.isArray(item)) {
    return item.reduce<number>((sum, text) => sum + String(text).length, 0);
  }
  const found = isBytes(item) ? item : (item as { readonly bytes?: unknown }).bytes;
  return isBytes(found) ? found.length : 0;
};

/** A page, and the error that came after its items. */
export type ReadPage = Page<unknown> & { readonly failure?: { readonly error: unknown } };

/** Reads the next page. Throws the error of an iterator that gives no item before it. */
export const readPage = async (
  iterator: AsyncIterator<unknown>,
  { items: most = MAX_PAGE_ITEMS, bytes = MAX_PAGE_BYTES }: PageLimits = {},
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
    } while (items.length < most && size < bytes && performance.now() - since < MAX_PAGE_MS);
  } catch (error) {
    if (items.length === 0) {
      throw error;
    }
    return { ...page(false), failure: { error } };
  }
  return page(false);
};

interface Offered {
  readonly iterator: AsyncIterator<unknown>;
  readonly limits: PageLimits;
  readonly onEnd: () => void;
  /** Rejects the pull that waits for a source which gives nothing, and each later one. */
  readonly failed: Promise<never>;
  readonly fail: (error: unknown) => void;
  /** What the next pull rejects with. */
  failure?: { readonly error: unknown } | undefined;
}

export interface OfferOptions extends PageLimits {
  /** The stream fails with its reason, also while it gives nothing. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the stream has ended, failed or was left. */
  readonly onEnd?: (() => void) | undefined;
}

/** The streams that one end offers. */
export class OfferedStreams {
  readonly #prefix = uniqueName();
  readonly #streams = new Map<string, Offered>();
  #count = 0;

  offer(items: AsyncIterable<unknown>, { signal, onEnd = () => {}, ...limits }: OfferOptions = {}): WireStream {
    const name = `${this.#prefix}.${this.#count++}`;
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<never>((_, reject) => (fail = reject));
    // The end that pulls hears of it, if there is one.
    failed.catch(() => {});
    const onAbort = (): void => fail(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    // A signal may outlive many streams.
    const ended = (): void => {
      signal?.removeEventListener('abort', onAbort);
      onEnd();
    };
    const iterator = items[Symbol.asyncIterator]();
    this.#streams.set(name, { iterator, limits, onEnd: ended, failed, fail });
    return { '/stream': name };
  }

  async pull(name: string): Promise<Page<unknown> | Gone> {
    const stream = this.#streams.get(name);
    if (stream === undefined) {
      return GONE;
    }
    const { failure: last, iterator, limits, failed, onEnd } = stream;
    // A stream that failed stays until it is withdrawn: another end may ask for it.
    const next = last === undefined ? readPage(iterator, limits) : Promise.reject(last.error);
    const { items, done, failure } = await Promise.race([failed, next]);
    stream.failure = failure;
    if (done) {
      this.#streams.delete(name);
      onEnd();
    }
    return { items, done };
  }

  /** Ends a stream; one that has ended stays so. Resolves when its source has ended as well. */
  async withdraw({ '/stream': name }: WireStream): Promise<void> {
    const stream = this.#streams.get(name);
    if (stream !== undefined) {
      this.#streams.delete(name);
      stream.fail(new RepoError('Closed', 'the stream is not read any more'));
      stream.onEnd();
      // Nothing is lost if this fails: the source was only read.
      await stream.iterator.return?.().then(undefined, () => {});
    }
  }

  /** Has every stream fail. */
  fail(error: unknown): void {
    for (const stream of this.#streams.values()) {
      stream.fail(error);
    }
  }

  /** Ends all of them. */
  end(): void {
    for (const name of [...this.#streams.keys()]) {
      void this.withdraw({ '/stream': name });
    }
  }
}

/** The items that `pull` gives. Calls `cancel`, and waits for it, when they are left before their end, or fail. */
export async function* pullItems(
  pull: () => Promise<Page<unknown> | Gone>,
  cancel: () => Promise<unknown> | undefined,
): AsyncGenerator<unknown, void, undefined> {
  let isOpen = true;
  try {
    while (isOpen) {
      const page = await pull();
      if (page === GONE) {
        isOpen = false;
        throw lostStream();
      }
      isOpen = !page.done;
      yield* page.items;
    }
  } finally {
    if (isOpen) {
      await cancel();
    }
  }
}

/** Items of bytes as a stream. It pulls the next item when it is read. */
export const byteStream = (items: AsyncIterable<unknown>): ReadableStream<Uint8Array> => {
  const iterator = items[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) {
          controller.close();
        } else {
          controller.enqueue(value as Uint8Array);
        }
      },
      cancel: async () => void (await iterator.return?.()),
    },
    { highWaterMark: 0 },
  );
};
