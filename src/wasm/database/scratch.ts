/** Where a statement keeps the values that are bound to it. */
import type { Pointer } from '../c-api/c-api.ts';
import type { Heap } from '../c-api/heap.ts';

/** Kept from one use of a statement to the next: a row of a block fits, and a thousand statements cost 8 MB at most. */
const MAX_KEPT = 8192;
const SMALLEST = 256;

/**
 * Memory that is handed out piece by piece and taken back at once. Pieces never move, since SQLite reads bound values
 * where they lie until the statement is reset.
 */
export class Scratch {
  readonly #heap: Heap;
  #block: Pointer = 0;
  #size = 0;
  #used = 0;
  /** Blocks that were too small and hold pieces still. */
  #full: Pointer[] = [];

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** A piece of at least `size` bytes, also when that is none: address 0 would bind NULL. */
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
    const piece = this.#block + this.#used;
    this.#used += size;
    return piece;
  }

  /** Gives back what lies unused behind the last piece, which was taken for the longest that it could become. */
  trim(piece: Pointer, size: number): void {
    this.#used = piece + size - this.#block;
  }

  /** Takes every piece back. */
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

  /** As {@link clear}, and keeps nothing. */
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
