/** Reads the source of a blob: bytes, a stream or a `Blob`. Every blob store uses it. */
import { isRepoError, RepoError } from '../errors.ts';
import type { BytesReader } from '../data/blob-reader.ts';
import { blobReader } from '../data/blob-reader.ts';
import type { BlobSource, PutBlobOptions } from './ports.ts';
import { isBlob, isBytes, isReadableStream } from '../data/platform-values.ts';

/**
 * Yields the bytes of `source` in chunks. Cancels a stream that is not read to its end, after a failure, an abort, or
 * because the caller stopped. Throws the stream's own errors.
 * @throws {RepoError} `BlobNotFound` when a `Blob` cannot be read, such as one over a deleted file; `LimitExceeded`
 *   when the source has more than `maxSize` bytes.
 * @throws {TypeError} when `source` has another type, or a chunk of a stream is not a `Uint8Array`.
 */
export async function* readBlobSource(
  source: BlobSource,
  options: PutBlobOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { maxSize, signal } = options;
  if (maxSize !== undefined && !(maxSize >= 0)) {
    throw new TypeError(`maxSize is not a valid number of bytes: use a number from 0; maxSize=${maxSize}`);
  }
  if (isBytes(source)) {
    signal?.throwIfAborted();
    checkSize(source.length, maxSize);
    yield source;
  } else if (isReadableStream(source)) {
    yield* readAll(source.getReader(), maxSize, signal);
  } else if (isBlob(source)) {
    signal?.throwIfAborted();
    checkSize(source.size, maxSize);
    yield* readAll(explained(blobReader(source)), maxSize, signal);
  } else {
    throw new TypeError(`expected a Blob, a ReadableStream or a Uint8Array as the blob; type=${typeof source}`);
  }
}

/** Returns the error for a missing or unreadable file behind a `Blob`. Platforms report it in different ways. */
const unreadable = (cause: unknown): RepoError => {
  const words = typeof cause === 'object' && cause !== null && 'message' in cause ? ` (${String(cause.message)})` : '';
  return new RepoError(
    'BlobNotFound',
    `cannot read the blob to store${words}: check that the file exists and is readable`,
    { cause },
  );
};

const explained = (reader: BytesReader): BytesReader => ({
  read: () =>
    reader.read().catch((error: unknown) => {
      throw unreadable(error);
    }),
  cancel: (reason) => reader.cancel(reason),
  releaseLock: () => reader.releaseLock(),
});

/** A source, a promise of one, or a function that opens one. If it fails, storing the blob fails. */
export type LazyBlobSource = BlobSource | Pending;

type Pending = PromiseLike<BlobSource> | (() => BlobSource | PromiseLike<BlobSource>);

/** Returns whether a source must be awaited. Other sources are used at once. */
export const isPending = (source: LazyBlobSource): source is Pending =>
  typeof source === 'function' ||
  (typeof source === 'object' && source !== null && 'then' in source && typeof source.then === 'function');

/**
 * Opens a source and waits for it. `openAsBlob` of Node may also throw synchronously.
 * @throws {RepoError} `BlobNotFound` when opening fails, with the original error as its cause.
 */
export const openSource = async (source: Pending): Promise<BlobSource> => {
  try {
    return await (typeof source === 'function' ? source() : source);
  } catch (error) {
    throw isRepoError(error) ? error : unreadable(error);
  }
};

const checkSize = (size: number, maxSize: number | undefined): void => {
  if (maxSize !== undefined && size > maxSize) {
    throw new RepoError(
      'LimitExceeded',
      `the blob is larger than maxSize: raise the limit to store it; maxSize=${maxSize} size=${size}`,
    );
  }
};

async function* readAll(
  reader: BytesReader,
  maxSize: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reads = abortableReads(reader, signal);
  let reason: unknown = new Error('the blob was not stored');
  let ended = false;
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reads.read();
      if (done) {
        ended = true;
        return;
      }
      if (!isBytes(value)) {
        throw new TypeError(`expected Uint8Array chunks from the stream of a blob; type=${typeof value}`);
      }
      size += value.length;
      checkSize(size, maxSize);
      yield value;
      signal?.throwIfAborted();
    }
  } catch (error) {
    reason = error;
    throw error;
  } finally {
    reads.dispose();
    if (!ended) {
      // Errors of `cancel` are ignored, because the first error is reported. Not awaited, because a source may never
      // finish cancelling.
      reader.cancel(reason).catch(() => {});
    }
    reader.releaseLock();
  }
}

/**
 * Reads that reject when the signal aborts. A read has no promise that lives longer: `Promise.race` with a promise of
 * the abort kept every chunk of a blob in memory until its end.
 */
const abortableReads = (
  reader: BytesReader,
  signal: AbortSignal | undefined,
): Pick<BytesReader, 'read'> & { dispose(): void } => {
  let rejectRead: ((reason: unknown) => void) | undefined;
  const listen = (): void => rejectRead?.(signal?.reason);
  signal?.addEventListener('abort', listen, { once: true });
  return {
    read: () =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason);
          return;
        }
        rejectRead = reject;
        reader.read().then(resolve, reject);
      }),
    dispose: () => signal?.removeEventListener('abort', listen),
  };
};
