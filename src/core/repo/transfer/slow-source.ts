/**
 * The source of an import. If it does not fit in memory, the bytes that are not read yet are copied to a scratch file
 * before the change begins. So a slow download does not delay other writes.
 */
import { isBytes } from '../../data/platform-values.ts';
import type { CarSource } from '../../car/source.ts';
import { isStreamed, toChunks } from '../../car/source.ts';
import type { BlobStore, ScratchFile } from '../../storage/ports.ts';

/** Yields the chunks of a source, once. After {@link keep}, the later ones come from a scratch file. */
export class SlowSource implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #isStreamed: boolean;
  #bytes = 0;
  #file: ScratchFile | undefined;
  /** The chunk after those in the file. */
  #next: IteratorResult<Uint8Array> | undefined;

  /** @throws {TypeError} when the argument is not a {@link CarSource}. */
  constructor(source: CarSource) {
    this.#chunks = toChunks(source)[Symbol.asyncIterator]();
    this.#isStreamed = isStreamed(source);
  }

  /** Number of bytes that the source has given, if some of them are in a scratch file, and otherwise 0. */
  get kept(): number {
    return this.#file === undefined ? 0 : this.#bytes;
  }

  async #pull(): Promise<IteratorResult<Uint8Array>> {
    const result = await this.#chunks.next();
    if (result.done !== true && isBytes(result.value)) {
      this.#bytes += result.value.length;
    }
    return result;
  }

  /**
   * Reads the source to its end into a scratch file of `blobs`. Does nothing if the source is bytes in memory or a
   * file, or if `blobs` has no scratch files. Stops after `maxSize` bytes, and at a chunk of another type: the reader
   * of chunks refuses both.
   * @param notify Called before each chunk. It may throw.
   */
  async keep(blobs: BlobStore, maxSize: number, notify: () => void): Promise<void> {
    if (!this.#isStreamed || blobs.scratch === undefined) {
      return;
    }
    const file = await blobs.scratch();
    this.#file = file;
    notify();
    let next = await this.#pull();
    while (next.done !== true && isBytes(next.value) && this.#bytes <= maxSize) {
      await file.append(next.value);
      notify();
      next = await this.#pull();
    }
    this.#next = next;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
    try {
      while (this.#file === undefined) {
        const { done, value } = await this.#pull();
        if (done === true) {
          return undefined;
        }
        yield value;
      }
      yield* this.#file.read();
      for (let next = this.#next ?? (await this.#pull()); next.done !== true; next = await this.#pull()) {
        yield next.value;
      }
      return undefined;
    } finally {
      await this.#chunks.return?.();
    }
  }

  /** Removes the scratch file. */
  async close(): Promise<void> {
    await this.#file?.remove();
  }
}
