/** Blocks of a CAR in memory, by number and CID. */
import type { PackedBlocks } from './packed-blocks.ts';
import { CID_LENGTH } from '../data/cid.ts';
import type { CidSet } from '../data/cid-set.ts';
import { createCidSet } from '../data/cid-set.ts';
import { LARGEST_CHUNK } from './arena.ts';
import { isBytes } from '../data/platform-values.ts';

/** The place of a block in memory: the index of its memory region, and its offset there. */
const WORDS = 2;
const PLACE_SIZE: number = WORDS * Uint32Array.BYTES_PER_ELEMENT;
const FIRST_CAPACITY = 1024;
/** Typical size of a block in a CAR, in bytes, CID included. */
const USUAL_BLOCK = 256;

const enlarged = (words: Uint32Array): Uint32Array => {
  const larger = new Uint32Array(2 * words.length);
  larger.set(words);
  return larger;
};

/** Where the bytes of blocks are kept. */
export interface BlockMemory {
  /** Returns the same number of blocks in memory that stays valid until `clear`. They need not have their CIDs. */
  keep(blocks: PackedBlocks): PackedBlocks;
  /** Drops all blocks. */
  clear(): void;
}

/**
 * Blocks, numbered in the order of arrival. Skips duplicates. Three numbers locate each block: an object with two views
 * took 350 bytes, and the garbage collector moved it.
 */
export class ArenaBlocks {
  readonly #cids: CidSet;
  readonly #memory: BlockMemory | undefined;
  readonly #memories: Uint8Array[] = [];
  /** Places of the blocks in memory, from `#first` on. */
  #places: Uint32Array = new Uint32Array(FIRST_CAPACITY * WORDS);
  /** Sizes of all blocks. */
  #sizes: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  #first = 0;
  #bytes = 0;

  /**
   * @param expected The expected number of blocks.
   * @param memory The memory for copies of the blocks. Default: the blocks stay in the memory that `add` received.
   */
  constructor(expected = 0, memory?: BlockMemory) {
    this.#cids = createCidSet(expected);
    this.#memory = memory;
  }

  /** For the blocks of a CAR. If the CAR is in memory, its size gives the expected number. */
  static for(source: unknown, memory?: BlockMemory): ArenaBlocks {
    return new ArenaBlocks(isBytes(source) ? source.length / USUAL_BLOCK : 0, memory);
  }

  /** Number of all blocks, released ones included. */
  get size(): number {
    return this.#cids.size;
  }

  /** The number of the first block in memory. */
  get first(): number {
    return this.#first;
  }

  /** Bytes of memory of the blocks, without CIDs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The CIDs of all blocks, by number. */
  get cids(): Omit<CidSet, 'add'> {
    return this.#cids;
  }

  /** Adds blocks. The caller has checked their hashes. */
  add(blocks: PackedBlocks): void {
    const { memory, starts } = blocks;
    // Copied only if it has a new block: a stream may repeat one block endlessly.
    let kept: PackedBlocks | undefined;
    for (let i = 0; i < starts.length; i++) {
      if (this.#cids.add(memory, starts[i]! - CID_LENGTH)) {
        kept ??= this.#memory?.keep(blocks) ?? blocks;
        this.#place(kept.memory, kept.starts[i]!, kept.ends[i]!);
      }
    }
  }

  /** Returns a view of a block, or `undefined` if the block is not in memory. */
  bytesAt(number: number): Uint8Array | undefined {
    if (number < this.#first || number >= this.size) {
      return undefined;
    }
    const at = (number - this.#first) * WORDS;
    const start = this.#places[at + 1]!;
    return this.#memories[this.#places[at]!]!.subarray(start, start + this.#sizes[number]!);
  }

  /** Returns the size of a block in bytes, also after `release`. */
  sizeAt(number: number): number {
    return this.#sizes[number]!;
  }

  /** Frees the bytes of all blocks. Sizes and CIDs stay. */
  release(): void {
    this.#memories.length = 0;
    this.#memory?.clear();
    this.#first = this.size;
    this.#bytes = 0;
  }

  /** Records the place of the newest block. */
  #place(memory: Uint8Array, start: number, end: number): void {
    const number = this.size - 1;
    const at = (number - this.#first) * WORDS;
    if (at === this.#places.length) {
      this.#places = enlarged(this.#places);
    }
    if (number === this.#sizes.length) {
      this.#sizes = enlarged(this.#sizes);
    }
    const isChunk = memory.length <= LARGEST_CHUNK;
    if (this.#memories.at(-1) !== memory) {
      this.#memories.push(memory);
      this.#bytes += isChunk ? memory.length : 0;
    }
    this.#places[at] = this.#memories.length - 1;
    this.#places[at + 1] = start;
    this.#sizes[number] = end - start;
    this.#bytes += PLACE_SIZE + (isChunk ? 0 : end - start);
  }
}
