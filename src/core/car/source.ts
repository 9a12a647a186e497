/** Where the bytes of a CAR come from: memory, a file, a response, or anything that gives them chunk by chunk. */
import { blobReader } from '../data/blob-reader.ts';
import { isBlob, isBytes, isReadableStream } from '../data/platform-values.ts';
import { chunksOf } from '../data/streams.ts';

/** The bytes of a CAR: in memory, or in chunks. */
export type CarSource = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

const readBytes = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
};

/**
 * Any source as chunks. Reads only as far as it is asked to; stopping early cancels the source. An error of the
 * source comes out as it was.
 * @throws {TypeError} when it is none of the kinds of {@link CarSource}.
 */
export const toChunks = (source: CarSource): AsyncIterable<Uint8Array> => {
  if (isBytes(source)) {
    return readBytes(source);
  }
  if (typeof source === 'object' && source !== null) {
    // By what they can do rather than by class: a source may come from another realm.
    if ('stream' in source && typeof source.stream === 'function') {
      return chunksOf(source.stream());
    }
    if (isBlob(source)) {
      return chunksOf(blobReader(source));
    }
    if (isReadableStream(source)) {
      return chunksOf(source);
    }
    if (Symbol.asyncIterator in source) {
      return source;
    }
  }
  throw new TypeError('a CAR must come as a Uint8Array, a Blob, a ReadableStream or an AsyncIterable of Uint8Array');
};
