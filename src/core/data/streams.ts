/** Reads streams chunk by chunk with a reader, because Safari has no async iteration of `ReadableStream`. */
import type { BytesReader } from './blob-reader.ts';
import type { Bytes } from './bytes.ts';
import { concatBytes } from './bytes.ts';

/** A stream, or a reader that the called function owns. */
type ByteStream = ReadableStream<Uint8Array> | BytesReader;

const readerOf = (stream: ByteStream): BytesReader => ('getReader' in stream ? stream.getReader() : stream);

/**
 * Yields the chunks of a stream. Cancels the stream when the caller stops early, and waits for that. An error of the
 * stream is thrown unchanged.
 */
export async function* chunksOf(stream: ByteStream): AsyncGenerator<Uint8Array, undefined> {
  const reader = readerOf(stream);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return undefined;
      }
      yield value;
    }
  } finally {
    // Has no effect on a stream that has ended. For one that has failed, rejects with its error again.
    const cancelled = reader.cancel();
    reader.releaseLock();
    await cancelled;
  }
}

/**
 * Calls `take` with each chunk of a stream, and waits for it. When `take` fails, cancels the stream with that error and
 * rejects with it at once: a source that never finishes cancelling does not keep the caller waiting.
 */
export const forEachChunk = async (
  stream: ByteStream,
  take: (chunk: Uint8Array) => Promise<void> | void,
): Promise<void> => {
  const reader = readerOf(stream);
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      await take(part.value);
    }
  } catch (error) {
    // Errors of `cancel` are ignored, because the first error is reported.
    reader.cancel(error).catch(() => undefined);
    throw error;
  } finally {
    reader.releaseLock();
  }
};

/** Returns all bytes of a stream. */
export const readAll = async (stream: ByteStream): Promise<Bytes> => {
  const chunks: Uint8Array[] = [];
  await forEachChunk(stream, (chunk) => {
    chunks.push(chunk);
  });
  return concatBytes(chunks);
};

/** Returns chunks as a stream. Reads the next chunk on demand. Cancelling the stream ends the iteration. */
export const byteStream = <T extends Uint8Array>(chunks: AsyncIterable<T>): ReadableStream<T> => {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream<T>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) {
          controller.close();
        } else {
          controller.enqueue(value);
        }
      },
      cancel: async () => void (await iterator.return?.()),
    },
    { highWaterMark: 0 },
  );
};
