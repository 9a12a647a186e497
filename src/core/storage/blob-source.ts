/** The bytes of a blob on their way in, whatever they come from. Every blob store reads its source through here. */
import { RepoError } from '../errors.ts';
import type { BytesReader } from '../data/blob-reader.ts';
import { blobReader } from '../data/blob-reader.ts';
import type { BlobSource, PutBlobOptions } from './ports.ts';
import { isBlob, isBytes, isReadableStream } from '../data/platform-values.ts';

/**
 * The bytes of `source`, piece by piece. A stream is cancelled when reading ends before its end does: on a failure
 * here, on an abort, or because the caller has stopped. Errors of the source come out as they are.
 * @throws {RepoError} `LimitExceeded` as soon as there are more than `maxSize` bytes, or are known to be.
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
    yield* readAll(blobReader(source), maxSize, signal);
  } else {
    throw new TypeError('a blob is stored from a Blob, a ReadableStream or a Uint8Array');
  }
}

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
