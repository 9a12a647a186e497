/** Blocks of a CAR that has to be read to its end before anybody knows what they are for. */
import type { PackedBlocks } from './packed-blocks.ts';
import { CID_LENGTH } from './cid.ts';
import type { CidSet } from './cid-set.ts';
import { createCidSet } from './cid-set.ts';

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

/** Memory up to this size is a source's chunk, and lives as long as any block in it; what is larger is a CAR that the caller has in memory. */
const LARGEST_CHUNK: number = 4 * 1024 * 1024;

/**
 * Blocks, numbered in the order in which they came; of those with one CID the first counts. They stay where they came in, and three
 * numbers say where: an object with two views took 350 bytes, and was moved by the garbage collector.
 */
export class HeldBlocks {
  readonly #cids: CidSet;
  readonly #memories: Uint8Array[] = [];
  /** Of those that are held, from the first on. */
  #places: Uint32Array = new Uint32Array(FIRST_CAPACITY * WORDS);
  /** Of all. */
  #sizes: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  #first = 0;
  #bytes = 0;

  /** @param expected About how many are going to come. */
  constructor(expected = 0) {
    this.#cids = createCidSet(expected);
  }

  /** For the blocks of a CAR, whose size is known where it is in memory. */
  static for(source: unknown): HeldBlocks {
    return new HeldBlocks(source instanceof Uint8Array ? source.length / USUAL_BLOCK : 0);
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
  add({ memory, starts, ends }: PackedBlocks): void {
    const isChunk = memory.length <= LARGEST_CHUNK;
    for (let i = 0; i < starts.length; i++) {
      const start = starts[i]!;
      const end = ends[i]!;
      if (!this.#cids.add(memory, start - CID_LENGTH)) {
        continue;
      }
      if (this.#memories.at(-1) !== memory) {
        this.#memories.push(memory);
        this.#bytes += isChunk ? memory.length : 0;
      }
      this.#place(this.size - 1, start, end - start);
      this.#bytes += PLACE_SIZE + (isChunk ? 0 : end - start);
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
    this.#first = this.size;
    this.#bytes = 0;
  }

  #place(number: number, start: number, size: number): void {
    const at = (number - this.#first) * WORDS;
    if (at === this.#places.length) {
      this.#places = enlarged(this.#places);
    }
    if (number === this.#sizes.length) {
      this.#sizes = enlarged(this.#sizes);
    }
    this.#places[at] = this.#memories.length - 1;
    this.#places[at + 1] = start;
    this.#sizes[number] = size;
  }
}
