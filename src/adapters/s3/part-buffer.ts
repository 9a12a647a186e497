/** Memory for one part. Small blobs take little, and large ones use the same memory for many parts. */
import type { Bytes } from '../../core/data/bytes.ts';

const FIRST_SIZE = 64 * 1024;

export class PartBuffer {
  readonly #partSize: number;
  #memory: Bytes;
  #length = 0;

  constructor(partSize: number) {
    this.#partSize = partSize;
    this.#memory = new Uint8Array(Math.min(FIRST_SIZE, partSize));
  }

  get isFull(): boolean {
    return this.#length === this.#partSize;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Copies as many bytes as have room. Returns their number. */
  fill(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#partSize - this.#length);
    const needed = this.#length + count;
    if (needed > this.#memory.length) {
      const grown = new Uint8Array(Math.min(this.#partSize, Math.max(needed, this.#memory.length * 2)));
      grown.set(this.#memory.subarray(0, this.#length));
      this.#memory = grown;
    }
    this.#memory.set(bytes.subarray(0, count), this.#length);
    this.#length = needed;
    return count;
  }

  /** The bytes since the last `clear`. Valid until the next one. */
  bytes(): Bytes {
    return this.#memory.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }
}
