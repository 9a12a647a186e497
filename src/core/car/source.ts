/** Sources of a CAR: memory, a file, a response, or any iterable of chunks. */
import { blobReader } from '../data/blob-reader.ts';
import { isBlob, isBytes, isReadableStream } from '../data/platform-values.ts';
import { chunksOf } from '../data/streams.ts';

/** The bytes of a CAR, in memory or in chunks. */
export type CarSource = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** By its methods, because an object of another realm is not an instance of this realm's class. */
const isFile = (source: object): source is Blob =>
  ('stream' in source && typeof source.stream === 'function') || isBlob(source);

/** Whether the chunks of a source may come slowly: it is neither in memory nor a file. */
export const isStreamed = (source: CarSource): boolean => !isBytes(source) && !isFile(source);

const readBytes = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
};

/**
 * Returns the chunks of any source. Reads on demand. Stopping early cancels the source. Throws errors of the source
 * unchanged.
 * @throws {TypeError} when the argument is not a {@link CarSource}.
 */
export const toChunks = (source: CarSource): AsyncIterable<Uint8Array> => {
  if (isBytes(source)) {
    return readBytes(source);
  }
  if (typeof source === 'object' && source !== null) {
    if (isFile(source)) {
      return chunksOf(typeof source.stream === 'function' ? source.stream() : blobReader(source));
    }
    if (isReadableStream(source)) {
      return chunksOf(source);
    }
    if (Symbol.asyncIterator in source) {
      return source;
    }
  }
  throw new TypeError(
    `expected a CAR as a Uint8Array, a Blob, a ReadableStream or an AsyncIterable of Uint8Array; type=${typeof source}`,
  );
};
