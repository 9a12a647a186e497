/**
 * Blocks in one piece of memory, the bytes of each right behind its CID, as they stand in a CAR. There is no object for
 * each: most of those that come by are never asked for.
 */
import type { CidBytes } from '../data/cid.ts';
import { CID_LENGTH } from '../data/cid.ts';

/** What it answers are views, which must not be changed. */
export class PackedBlocks {
  readonly memory: Uint8Array;
  /** Where the memory begins in the CAR that it is a part of. */
  readonly #offset: number;
  /** Where the bytes of each block begin, which come right behind its CID; where they end. */
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  constructor(memory: Uint8Array, offset = 0) {
    this.memory = memory;
    this.#offset = offset;
  }

  get length(): number {
    return this.starts.length;
  }

  /** The bytes of all of them together, without their CIDs. */
  get size(): number {
    return this.starts.reduce((size, start, i) => size + this.ends[i]! - start, 0);
  }

  cidAt(index: number): CidBytes {
    const start = this.starts[index]!;
    return this.memory.subarray(start - CID_LENGTH, start) as CidBytes;
  }

  bytesAt(index: number): Uint8Array {
    return this.memory.subarray(this.starts[index], this.ends[index]);
  }

  /** Where the bytes of a block begin in the CAR. */
  offsetAt(index: number): number {
    return this.#offset + this.starts[index]!;
  }

  /** Adds the block whose CID ends, and whose bytes begin, at `start`. */
  push(start: number, end: number): void {
    this.starts.push(start);
    this.ends.push(end);
  }

  /** Forgets the blocks from `length` on. */
  cut(length: number): void {
    this.starts.length = length;
    this.ends.length = length;
  }
}
