/** Reads the content of a `Blob`, also of one that cannot read itself. */
import type { Bytes } from './bytes.ts';

/** How much of a blob without `stream` is in memory at a time, in bytes. */
const SLICE_SIZE = 1024 * 1024;

/** The methods of a `ReadableStreamDefaultReader` that read bytes to their end, or give up before. */
export type BytesReader = Pick<ReadableStreamDefaultReader<Uint8Array>, 'cancel' | 'read' | 'releaseLock'>;

/** Reads a whole blob with the `FileReader` of the global scope. */
const readWhole = (blob: Blob): Promise<ArrayBuffer> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(reader.result as ArrayBuffer));
    reader.addEventListener('error', () => reject(reader.error));
    reader.readAsArrayBuffer(blob);
  });

/**
 * Returns a reader of the bytes of a blob. The blobs of jsdom have no `stream`, and it may lack `ReadableStream` too:
 * such a blob is read slice by slice, with a `FileReader`.
 */
export const blobReader = (blob: Blob): BytesReader => {
  if (typeof (blob as Partial<Blob>).stream === 'function') {
    return blob.stream().getReader();
  }
  let at = 0;
  return {
    async read() {
      if (at >= blob.size) {
        return { done: true, value: undefined };
      }
      const value: Bytes = new Uint8Array(await readWhole(blob.slice(at, at + SLICE_SIZE)));
      at += SLICE_SIZE;
      return { done: false, value };
    },
    async cancel() {
      at = blob.size;
    },
    releaseLock() {
      // Nobody else reads these slices.
    },
  };
};
