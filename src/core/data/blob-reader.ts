/** Reads the content of a `Blob`, also of one without `stream`. */
import type { Bytes } from './bytes.ts';

/** Bytes per read of a blob without `stream`. */
const SLICE_SIZE = 1024 * 1024;

/** The methods of a `ReadableStreamDefaultReader` that are used to read or cancel a stream. */
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
 * Returns a reader of the bytes of a blob. Blobs of jsdom have no `stream`; they are read slice by slice with a
 * `FileReader`.
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
      // There is no lock to release.
    },
  };
};
