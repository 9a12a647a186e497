/**
 * Values as one end sends them. `structuredClone` does not keep classes and clones no function: CIDs cross as texts,
 * functions, streams and signals as references, which the other end calls by name. A stream
 * is a function that returns the next page. Its source is read on demand. CARs, blobs, files and lists all cross so.
 */
import type { Signer } from '../../core/crypto/signer.ts';
import { blobReader } from '../../core/data/blob-reader.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import { asCid, cidToText } from '../../core/data/cid.ts';
import { isPlainMap } from '../../core/data/plain-map.ts';
import { isArrayBuffer, isBlob, isBytes, isMap, isReadableStream } from '../../core/data/platform-values.ts';
import { reportingErrors } from '../../core/data/report-error.ts';
import { chunksOf } from '../../core/data/streams.ts';
import { RepoError } from '../../core/errors.ts';
import type { BackupContent } from '../../core/storage/backup-file.ts';
import type { Page, Reference } from './protocol.ts';
import { uniqueName } from './unique-name.ts';

type Run = (...params: never[]) => unknown;
type Source = AsyncIterable<unknown>;

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
  for await (const item of source) {
    if (isBytes(item)) {
      for (let at = 0; at < item.length; at += MAX_CHUNK) {
        yield item.slice(at, at + MAX_CHUNK);
      }
    } else {
      yield item;
    }
  }
}

/** Neighbouring chunks of bytes cross as one. */
const joined = (items: readonly unknown[]): readonly unknown[] =>
  items.length > 1 && items.every(isBytes) ? [concatBytes(items)] : items;

/** Yields the pages of a source, and returns the last one. Throws an error of the source after the items before it. */
async function* pagesOf(source: Source, maxBytes: number): AsyncGenerator<Page['value'], Page['value']> {
  let items: unknown[] = [];
  let size = 0;
  let since = performance.now();
  try {
    for await (const item of itemsOf(source)) {
      items.push(item);
      size += sizeOf(item);
      if (items.length === MAX_PAGE_ITEMS || size >= maxBytes || performance.now() - since >= MAX_PAGE_MS) {
        yield joined(items);
        [items, size, since] = [[], 0, performance.now()];
      }
    }
  } catch (error) {
    if (items.length > 0) {
      yield joined(items);
    }
    throw error;
  }
  return joined(items);
}

/** Returns a copy with the inner values changed. A value of a class stays as it is. */
export const mapInner = (value: object, change: (inner: unknown) => unknown): unknown => {
  if (Array.isArray(value)) {
    return value.map(change);
  }
  if (isMap(value)) {
    return new Map([...value].map(([key, inner]) => [key, change(inner)]));
  }
  return isPlainMap(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]))
    : value;
};

const isAsyncIterable = (value: object): value is Source => Symbol.asyncIterator in value;

const isSigner = (value: object): value is Signer => 'sign' in value && typeof value.sign === 'function';

const isSignal = (value: object): value is AbortSignal => 'aborted' in value && 'addEventListener' in value;

const isContent = (value: object): value is BackupContent =>
  'size' in value && 'stream' in value && typeof value.stream === 'function';

/** Opens the file when its first bytes are asked for. */
async function* bytesOf(content: BackupContent): AsyncGenerator<Uint8Array> {
  yield* chunksOf(content.stream());
}

const leftError = (): RepoError =>
  new RepoError('Closed', 'the reader has ended the stream: read it again from the start');

/** What the other end can call under a name. */
interface Held {
  readonly name: string;
  readonly run: Run;
  /** Ends a stream with an error. */
  readonly end?: (error: unknown) => Promise<void>;
}

/** The references of one call, of one reply or of one page. They end together. */
export class Scope {
  /** The signal among the values. Messages say when it aborts. */
  signal: AbortSignal | undefined;
  readonly #references: Map<string, Run>;
  readonly #maxBytes: number;
  readonly #onEmpty: () => void;
  readonly #held = new Map<object, Held>();

  /**
   * @param references What the other end can call. The names begin with a slash.
   * @param maxBytes The size of a page of a stream.
   * @param onEmpty Called when the last reference has ended.
   */
  constructor(references: Map<string, Run>, maxBytes: number, onEmpty: () => void = () => {}) {
    this.#references = references;
    this.#maxBytes = maxBytes;
    this.#onEmpty = onEmpty;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /**
   * Returns the value as it crosses. Bytes that are a part of a larger buffer are copied: a clone of them would carry
   * the whole buffer.
   */
  pack(value: unknown): unknown {
    if (typeof value === 'function') {
      // An error of a listener is the listener's, and no reply to the other end.
      return this.#refer('function', value, reportingErrors(value as (event: unknown) => void));
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    if (isBytes(value)) {
      return value.byteLength === value.buffer.byteLength && isArrayBuffer(value.buffer)
        ? value
        : new Uint8Array(value);
    }
    const cid = asCid(value);
    if (cid !== undefined) {
      return { '/': cidToText(cid) } satisfies Reference;
    }
    if (isReadableStream(value)) {
      // Streams of WebKit have no async iterator.
      return this.#refer('bytes', value, chunksOf(value));
    }
    if (isAsyncIterable(value)) {
      return this.#refer('items', value, value);
    }
    if (isSigner(value)) {
      // The key crosses as a text, because `did` returns no promise.
      const did = value.did && ({ '/': value.did(), kind: 'text' } satisfies Reference);
      return { sign: this.#refer('function', value, (bytes: Uint8Array<ArrayBuffer>) => value.sign(bytes)), did };
    }
    if (isSignal(value)) {
      this.signal = value;
      return { '/': '', kind: 'signal' } satisfies Reference;
    }
    if (isBlob(value)) {
      // A blob of jsdom cannot be cloned. It has no `stream` either.
      const isCloned = typeof (value as Partial<Blob>).stream === 'function';
      return isCloned ? value : this.#refer('bytes', {}, chunksOf(blobReader(value)));
    }
    if (isContent(value)) {
      return { size: value.size, stream: this.#refer('content', {}, bytesOf(value)) };
    }
    return mapInner(value, (inner) => this.pack(inner));
  }

  /** Has every stream fail. */
  fail(error: unknown): void {
    this.#held.forEach(({ end }) => void end?.(error));
  }

  release(): void {
    this.fail(leftError());
    [...this.#held.keys()].forEach((value) => this.#forget(value));
  }

  /** A value that is packed again, for another end, keeps its name. */
  #refer(kind: Reference['kind'], value: object, offered: Run | Source): Reference {
    let held = this.#held.get(value);
    if (held === undefined) {
      const name = `/${uniqueName()}`;
      held = { name, ...(typeof offered === 'function' ? { run: offered } : this.#offer(value, offered)) };
      this.#held.set(value, held);
      this.#references.set(name, held.run);
    }
    return { '/': held.name, kind };
  }

  #forget(value: object): void {
    const held = this.#held.get(value);
    if (held !== undefined) {
      this.#references.delete(held.name);
      this.#held.delete(value);
      if (this.isEmpty) {
        this.#onEmpty();
      }
    }
  }

  #offer(value: object, source: Source): Omit<Held, 'name'> {
    const pages = pagesOf(source, this.#maxBytes);
    // What the items of a page refer to ends with the next page.
    const inPage = new Scope(this.#references, this.#maxBytes);
    let next = (): Promise<Page> => pages.next();
    /** Rejects the page that is waited for. A promise for all pages, in a race with each, would keep them in memory. */
    let stop = (_: unknown): void => {};
    const end = async (error: unknown): Promise<void> => {
      next = () => Promise.reject(error);
      stop(error);
      inPage.release();
      // A generator that was never asked does not cancel its source. Nothing is lost if this fails: it was only read.
      const isUnread = isReadableStream(value) && value.locked === false;
      await (isUnread ? value.cancel(error) : pages.return([])).catch(() => {});
    };
    const run = async (isLeft?: boolean): Promise<unknown> => {
      if (isLeft === true) {
        this.#forget(value);
        return end(leftError());
      }
      inPage.release();
      const page = await new Promise<Page>((resolve, reject) => {
        stop = reject;
        next().then(resolve, reject);
      });
      if (page.done === true) {
        this.#forget(value);
      }
      return inPage.pack(page);
    };
    return { run, end };
  }
}
