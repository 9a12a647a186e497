/** Blocks of a CAR in memory, by number and CID. */
import type { PackedBlocks } from './packed-blocks.ts';
import type { CidBytes } from '../data/cid.ts';
import { CID_LENGTH } from '../data/cid.ts';
import { equalBytes } from '../data/bytes.ts';
import { LARGEST_CHUNK } from './arena.ts';
import { CidNumbers } from './cid-numbers.ts';
import { NumberColumns } from './number-columns.ts';
import { isBytes } from '../data/platform-values.ts';

/** The place of a block in memory: the index of its memory region, and its offset there. */
const WORDS = 2;
const PLACE_SIZE: number = WORDS * Uint32Array.BYTES_PER_ELEMENT;
/** Typical size of a block in a CAR, in bytes, CID included. */
const USUAL_BLOCK = 256;

/** Where the bytes of blocks are kept. */
export interface BlockMemory {
  /** Whether each kept block follows its CID. */
  readonly hasCids: boolean;
  /** Returns the same number of blocks in memory that stays valid until `clear`. */
  keep(blocks: PackedBlocks): PackedBlocks;
  /** Drops all blocks. Keeps at most `most` bytes of memory for later ones. */
  clear(most: number): void;
}

/**
 * Blocks, numbered in the order of arrival. Skips duplicates. Three numbers locate each block: an object with two views
 * took 350 bytes, and the garbage collector moved it.
 */
export class ArenaBlocks {
  readonly #numbers: CidNumbers;
  readonly #memory: BlockMemory | undefined;
  readonly #memories: Uint8Array[] = [];
  /** Places of the blocks in memory, from `#first` on. */
  readonly #places: NumberColumns = new NumberColumns(WORDS);
  /** Sizes of all blocks. */
  readonly #sizes: NumberColumns = new NumberColumns(1);
  #first = 0;
  #bytes = 0;

  /**
   * @param expected The expected number of blocks.
   * @param memory The memory for copies of the blocks. Default: the blocks stay in the memory that `add` received.
   */
  constructor(expected = 0, memory?: BlockMemory) {
    this.#numbers = new CidNumbers(expected);
    this.#memory = memory;
  }

  /** For the blocks of a CAR. If the CAR is in memory, its size gives the expected number. */
  static for(source: unknown, memory?: BlockMemory): ArenaBlocks {
    return new ArenaBlocks(isBytes(source) ? source.length / USUAL_BLOCK : 0, memory);
  }

  /** Number of all blocks, released ones included. */
  get size(): number {
    return this.#numbers.size;
  }

  /** The number of the first block in memory. */
  get first(): number {
    return this.#first;
  }

  /** Bytes of memory of the blocks, without CIDs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns whether a block with this CID was added. */
  has(cid: Uint8Array): boolean {
    return this.#numbers.has(cid);
  }

  /** Returns the number of the block with this CID, or -1. */
  indexOf(cid: Uint8Array): number {
    return this.#numbers.indexOf(cid);
  }

  /** Adds blocks. The caller has checked their hashes. */
  add(blocks: PackedBlocks): void {
    const { memory, starts } = blocks;
    // Copied only if it has a new block: a stream may repeat one block endlessly.
    let kept: PackedBlocks | undefined;
    for (let i = 0; i < starts.length; i++) {
      if (this.#numbers.add(memory, starts[i]! - CID_LENGTH)) {
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
    const start = this.#startOf(number);
    return this.#memoryOf(number).subarray(start, start + this.sizeAt(number));
  }

  /** Returns the CID of a block in memory, as a view. The memory must have CIDs. */
  cidAt(number: number): CidBytes {
    const start = this.#startOf(number);
    return this.#memoryOf(number).subarray(start - CID_LENGTH, start) as CidBytes;
  }

  /**
   * Returns a view of the block with this CID, or `undefined` if it is not in memory. Compares the whole CID if the
   * memory has CIDs.
   */
  find(cid: Uint8Array): Uint8Array | undefined {
    const number = this.indexOf(cid);
    const bytes = this.bytesAt(number);
    const isSame = bytes === undefined || this.#memory?.hasCids === false || equalBytes(this.cidAt(number), cid);
    return isSame ? bytes : undefined;
  }

  /** Returns the size of a block in bytes, also after `release`. */
  sizeAt(number: number): number {
    return this.#sizes.get(number, 0);
  }

  /**
   * Frees the bytes of all blocks. Numbers and sizes stay.
   * @param most The most bytes of memory to keep for later blocks. Default: none.
   */
  release(most = 0): void {
    this.#memories.length = 0;
    this.#memory?.clear(most);
    this.#first = this.size;
    this.#bytes = 0;
  }

  /** Records the place of the newest block. */
  #place(memory: Uint8Array, start: number, end: number): void {
    const number = this.size - 1;
    const row = number - this.#first;
    const isChunk = memory.length <= LARGEST_CHUNK;
    if (this.#memories.at(-1) !== memory) {
      this.#memories.push(memory);
      this.#bytes += isChunk ? memory.length : 0;
    }
    this.#places.set(row, 0, this.#memories.length - 1);
    this.#places.set(row, 1, start);
    this.#sizes.set(number, 0, end - start);
    this.#bytes += PLACE_SIZE + (isChunk ? 0 : end - start);
  }

  #memoryOf(number: number): Uint8Array {
    return this.#memories[this.#places.get(number - this.#first, 0)]!;
  }

  #startOf(number: number): number {
    return this.#places.get(number - this.#first, 1);
  }
}
