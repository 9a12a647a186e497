/** Blocks of a CAR that has to be read to its end before anybody knows what they are for. */
import type { PackedBlocks } from './packed-blocks.ts';
import { CID_LENGTH } from '../data/cid.ts';
import type { CidSet } from '../data/cid-set.ts';
import { createCidSet } from '../data/cid-set.ts';
import type { Arena } from './arena.ts';
import { LARGEST_CHUNK } from './arena.ts';
import { isBytes } from '../data/platform-values.ts';

/** The place of a block that is held: which memory it lies in, and where it begins there. */
const WORDS = 2;
const PLACE_SIZE: number = WORDS * Uint32Array.BYTES_PER_ELEMENT;
const FIRST_CAPACITY = 1024;
/** Bytes of a block in most CARs, its CID with them. */
const USUAL_BLOCK = 256;

const enlarged = (words: Uint32Array): Uint32Array => {
  const larger = new Uint32Array(2 * words.length);
  larger.set(words);
  return larger;
};

/**
 * Blocks, numbered in the order in which they came; of those with one CID the first counts. Three numbers say where
 * each is: an object with two views took 350 bytes, and was moved by the garbage collector.
 */
export class ArenaBlocks {
  readonly #cids: CidSet;
  readonly #memory: Arena | undefined;
  readonly #memories: Uint8Array[] = [];
  /** Of those that are held, from the first on. */
  #places: Uint32Array = new Uint32Array(FIRST_CAPACITY * WORDS);
  /** Of all. */
  #sizes: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  #first = 0;
  #bytes = 0;

  /**
   * @param expected About how many are going to come.
   * @param memory Where they are put until `release`; they stay where they came in when it is left out.
   */
  constructor(expected = 0, memory?: Arena) {
    this.#cids = createCidSet(expected);
    this.#memory = memory;
  }

  /** For the blocks of a CAR, whose size is known where it is in memory. */
  static for(source: unknown, memory?: Arena): ArenaBlocks {
    return new ArenaBlocks(isBytes(source) ? source.length / USUAL_BLOCK : 0, memory);
  }

  /** How many came, held or not. */
  get size(): number {
    return this.#cids.size;
  }

  /** The number of the first one that is held. */
  get first(): number {
    return this.#first;
  }

  /** What the held ones take, but for their names. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The names of all that came, by their numbers. */
  get cids(): Omit<CidSet, 'add'> {
    return this.#cids;
  }

  /** Takes in blocks whose hashes have been checked. */
  add(blocks: PackedBlocks): void {
    const { memory, starts } = blocks;
    // Not before there is something new in it: a stream may send one block for ever.
    let kept: PackedBlocks | undefined;
    for (let i = 0; i < starts.length; i++) {
      if (this.#cids.add(memory, starts[i]! - CID_LENGTH)) {
        kept ??= this.#memory?.keep(blocks) ?? blocks;
        this.#place(kept.memory, kept.starts[i]!, kept.ends[i]!);
      }
    }
  }

  /** The bytes of a block, as a view; `undefined` where it is not held. */
  bytesAt(number: number): Uint8Array | undefined {
    if (number < this.#first || number >= this.size) {
      return undefined;
    }
    const at = (number - this.#first) * WORDS;
    const start = this.#places[at + 1]!;
    return this.#memories[this.#places[at]!]!.subarray(start, start + this.#sizes[number]!);
  }

  /** How many bytes a block has, held or not. */
  sizeAt(number: number): number {
    return this.#sizes[number]!;
  }

  /** Lets go of the bytes of all. */
  release(): void {
    this.#memories.length = 0;
    this.#memory?.clear();
    this.#first = this.size;
    this.#bytes = 0;
  }

  /** Notes where the last one that came is. */
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
