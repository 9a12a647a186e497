/** The bytes of a blob on their way in, whatever they come from. Every blob store reads its source through here. */
import { isRepoError, RepoError } from '../errors.ts';
import type { BytesReader } from '../data/blob-reader.ts';
import { blobReader } from '../data/blob-reader.ts';
import type { BlobSource, PutBlobOptions } from './ports.ts';
import { isBlob, isBytes, isReadableStream } from '../data/platform-values.ts';

/**
 * The bytes of `source`, piece by piece. A stream is cancelled when reading ends before its end does: on a failure
 * here, on an abort, or because the caller has stopped. Errors of a stream come out as they are.
 * @throws {RepoError} `BlobNotFound` when a `Blob` cannot be read, as one over a file that is gone; `LimitExceeded` as
 *   soon as there are more than `maxSize` bytes, or are known to be.
 * @throws {TypeError} when `source` is none, or a piece of a stream is not a `Uint8Array`.
 */
export async function* readBlobSource(
  source: BlobSource,
  options: PutBlobOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { maxSize, signal } = options;
  if (maxSize !== undefined && !(maxSize >= 0)) {
    throw new TypeError(`maxSize must be a number that is not negative; maxSize=${maxSize}`);
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
    throw new TypeError('a blob is stored from a Blob, a ReadableStream or a Uint8Array');
  }
}

/** A file under a `Blob` that is gone or may not be read: platforms say so in words of their own, or in none. */
const unreadable = (cause: unknown): RepoError => {
  const words = typeof cause === 'object' && cause !== null && 'message' in cause ? ` (${String(cause.message)})` : '';
  return new RepoError(
    'BlobNotFound',
    `the blob to store cannot be read${words}: is the file there, and may it be read?`,
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

/** A source, the promise of one, or a function that opens one: its failure is then a failure to store the blob. */
export type LazyBlobSource = BlobSource | Pending;

type Pending = PromiseLike<BlobSource> | (() => BlobSource | PromiseLike<BlobSource>);

/** Whether a source has to be waited for. One that has not is taken before anything else happens. */
export const isPending = (source: LazyBlobSource): source is Pending =>
  typeof source === 'function' ||
  (typeof source === 'object' && source !== null && 'then' in source && typeof source.then === 'function');

/**
 * Opens a source and waits for it. `openAsBlob` of Node throws, also in place of returning its promise.
 * @throws {RepoError} `BlobNotFound` when that fails, with the failure as the cause.
 */
export const settledSource = async (source: Pending): Promise<BlobSource> => {
  try {
    return await (typeof source === 'function' ? source() : source);
  } catch (error) {
    throw isRepoError(error) ? error : unreadable(error);
  }
};

const checkSize = (size: number, maxSize: number | undefined): void => {
  if (maxSize !== undefined && size > maxSize) {
    throw new RepoError('LimitExceeded', `the blob is larger than allowed; maxSize=${maxSize}`);
  }
};

async function* readAll(
  reader: BytesReader,
  maxSize: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const aborted = abortOf(signal);
  let reason: unknown = new Error('the blob was not stored');
  let ended = false;
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), aborted.promise]);
      if (done) {
        ended = true;
        return;
      }
      if (!isBytes(value)) {
        throw new TypeError('a stream of a blob has to give Uint8Arrays');
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
    aborted.dispose();
    if (!ended) {
      // The failure that led here is the one to report; a source that cannot even be cancelled adds nothing to it,
      // and one that never finishes cancelling must not keep the caller waiting.
      reader.cancel(reason).catch(() => {});
    }
    reader.releaseLock();
  }
}

/** A promise that rejects when the signal aborts, and a way to stop listening. */
const abortOf = (
  signal: AbortSignal | undefined,
): { readonly promise: Promise<never>; readonly dispose: () => void } => {
  let stop = (): void => {};
  const promise = new Promise<never>((_, reject) => {
    if (signal === undefined) {
      return;
    }
    const listen = (): void => reject(signal.reason as Error);
    if (signal.aborted) {
      listen();
      return;
    }
    signal.addEventListener('abort', listen, { once: true });
    stop = () => signal.removeEventListener('abort', listen);
  });
  // Nobody may be waiting when it rejects: the reader is then between two reads, and looks at the signal itself.
  promise.catch(() => {});
  return { promise, dispose: () => stop() };
};
