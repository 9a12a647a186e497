/** Memory for the bound values of a statement. */
import type { Pointer } from '../c-api/c-api.ts';
import type { Heap } from '../c-api/heap.ts';

/**
 * Most bytes that stay allocated between two uses of a statement. A typical row fits, and a thousand statements take at
 * most 8 MB.
 */
const MAX_KEPT = 8192;
const SMALLEST = 256;

/**
 * An allocator whose values are freed together. Values never move, because SQLite reads bound values in place until the
 * statement is reset.
 */
export class Scratch {
  readonly #heap: Heap;
  #block: Pointer = 0;
  #size = 0;
  #used = 0;
  /** Full blocks that still have values. */
  #full: Pointer[] = [];

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Allocates `size` bytes. The address is never 0, even for size 0, because address 0 would bind NULL. */
  take(size: number): Pointer {
    if (this.#block === 0 || this.#used + size > this.#size) {
      const length = Math.max(size, SMALLEST, Math.min(2 * this.#size, MAX_KEPT));
      const block = this.#heap.allocate(length);
      if (this.#block !== 0) {
        this.#full.push(this.#block);
      }
      this.#block = block;
      this.#size = length;
      this.#used = 0;
    }
    const pointer = this.#block + this.#used;
    this.#used += size;
    return pointer;
  }

  /** Frees the unused end of the last value, which was allocated with its largest possible size. */
  trim(pointer: Pointer, size: number): void {
    this.#used = pointer + size - this.#block;
  }

  /** Frees all values. */
  clear(): void {
    this.#used = 0;
    if (this.#full.length > 0) {
      for (const block of this.#full) {
        this.#heap.free(block);
      }
      this.#full = [];
    }
    if (this.#size > MAX_KEPT) {
      this.free();
    }
  }

  /** As {@link clear}, and frees all blocks. */
  free(): void {
    for (const block of [...this.#full, this.#block]) {
      if (block !== 0) {
        this.#heap.free(block);
      }
    }
    this.#full = [];
    this.#block = 0;
    this.#size = 0;
    this.#used = 0;
  }
}
