/**
 * Blocks in one memory region. Each block follows its CID, as in a CAR. There is no object per block, because most
 * blocks are never read singly.
 */
import type { CidBytes } from '../data/cid.ts';
import { CID_LENGTH } from '../data/cid.ts';

/** Returns views, which the caller must not change. */
export class PackedBlocks {
  readonly memory: Uint8Array;
  /** The offset of the memory in the CAR. */
  readonly #offset: number;
  /** Start and end offsets of the blocks in the memory. The CID precedes the start. */
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  constructor(memory: Uint8Array, offset = 0) {
    this.memory = memory;
    this.#offset = offset;
  }

  get length(): number {
    return this.starts.length;
  }

  /** The total size of the blocks in bytes, without CIDs. */
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

  /** Returns the offset of a block's bytes in the CAR. */
  offsetAt(index: number): number {
    return this.#offset + this.starts[index]!;
  }

  /** Adds the block at `start`. Its CID ends there. */
  push(start: number, end: number): void {
    this.starts.push(start);
    this.ends.push(end);
  }

  /** Drops the blocks from index `length` on. */
  cut(length: number): void {
    this.starts.length = length;
    this.ends.length = length;
  }
}
