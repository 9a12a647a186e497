/**
 * The incremental decoder under `readCar` and `readCarStream`: takes chunks and returns blocks. The result does not
 * depend on the chunk boundaries. https://ipld.io/specs/transport/car/carv1/
 */
import { FirstBytes } from './foreign-input.ts';
import { MAX_CAR_ROOTS, decodeCarHeader } from './header.ts';
import { PackedBlocks } from '../blocks/packed-blocks.ts';
import type { CID } from '../data/cid.ts';
import { CID_LENGTH, cidBytesToText, isCidBytes, isDigestOf } from '../data/cid.ts';
import { isRepoError, RepoError } from '../errors.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll } from '../data/sha256.ts';
import { decodeVarint, MAX_VARINT_LENGTH } from '../data/varint.ts';
import { isBytes } from '../data/platform-values.ts';

/** Most bytes of a header. A header of 64 roots has 2.6 KB. */
export const MAX_CAR_HEADER: number = 1024 * 1024;

/** Most bytes of a block: twice the 1 MiB of a record, as large as any block that hosts send. */
export const MAX_BLOCK_SIZE: number = 2 * 1024 * 1024;

/** Most bytes of a CAR: three times the largest accounts. It stops an endless stream before it fills the disk. */
export const MAX_CAR_SIZE: number = 1024 * 1024 * 1024;

/**
 * Most blocks of a CAR: ten million records and their nodes, three times as many as a CAR of {@link MAX_CAR_SIZE} has
 * at 320 bytes per record. Readers keep the CID of each block. For 26 million tiny blocks, CIDs would take 1.1 GB, and
 * 1.5 GB while their table grows.
 */
export const MAX_CAR_BLOCKS: number = 16 * 1024 * 1024;

/** Most blocks per batch, which bounds memory if a chunk has more. */
const MAX_BATCH = 1024;

export interface CarOptions {
  /** Hashes blocks in batches. Default: one by one in JavaScript. */
  readonly hashAll?: HashAll | undefined;
  /** The most blocks in the CAR, duplicates included. Default: {@link MAX_CAR_BLOCKS}. */
  readonly maxBlocks?: number | undefined;
  /** The largest size of a block in bytes. Default: {@link MAX_BLOCK_SIZE}. */
  readonly maxBlockSize?: number | undefined;
  /** The largest size of the header in bytes. Default: {@link MAX_CAR_HEADER}. */
  readonly maxHeaderSize?: number | undefined;
  /** The most roots in the header. Default: `MAX_CAR_ROOTS`. */
  readonly maxRoots?: number | undefined;
  /** The largest size of the CAR in bytes. Default: {@link MAX_CAR_SIZE}. */
  readonly maxSize?: number | undefined;
}

const hashMismatch = (frames: PackedBlocks, index: number): RepoError =>
  new RepoError(
    'Malformed',
    `a block of the CAR does not match its CID: get it again; offset=${frames.offsetAt(index)}, cid=${cidBytesToText(frames.cidAt(index))}`,
  );

const tooLarge = (message: string): RepoError => new RepoError('LimitExceeded', message);

const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/**
 * Decodes one CAR. For each chunk, call `feed`, then `take` until it returns an empty batch. Call `end` after the last
 * chunk. Do not use it after it has thrown.
 */
export class CarDecoder {
  readonly #hashAll: HashAll;
  readonly #maxBlocks: number;
  readonly #maxBlockSize: number;
  readonly #maxHeaderSize: number;
  readonly #maxRoots: number;
  readonly #maxSize: number;
  readonly #prefix: Uint8Array = new Uint8Array(MAX_VARINT_LENGTH);
  #prefixLength = 0;
  #chunk: Uint8Array = NOTHING;
  /** The offset in the chunk, and the offset of the chunk in the CAR. */
  #at = 0;
  #chunkOffset = 0;
  /** The offset of the current section (header or block), and its size once it is known. */
  #sectionOffset = 0;
  #sectionSize: number | undefined;
  /** The first part of a section that spans several chunks. */
  #partial: Uint8Array = NOTHING;
  #partialLength = 0;
  #roots: readonly CID[] | undefined;
  readonly #first = new FirstBytes();
  #headerFault: { readonly error: unknown } | undefined;
  /** Number of returned blocks. */
  #blocks = 0;
  #fault: { readonly error: unknown } | undefined;

  constructor(options: CarOptions = {}) {
    this.#hashAll = options.hashAll ?? hashAll;
    this.#maxBlocks = options.maxBlocks ?? MAX_CAR_BLOCKS;
    this.#maxBlockSize = options.maxBlockSize ?? MAX_BLOCK_SIZE;
    this.#maxHeaderSize = options.maxHeaderSize ?? MAX_CAR_HEADER;
    this.#maxRoots = options.maxRoots ?? MAX_CAR_ROOTS;
    this.#maxSize = options.maxSize ?? MAX_CAR_SIZE;
  }

  /** The roots, once the header has been read. */
  get roots(): readonly CID[] | undefined {
    return this.#roots;
  }

  /**
   * Adds the next chunk. Call it after `take` has returned an empty batch. Blocks and CIDs inside the chunk are views
   * of it: do not change the chunk. They keep it in memory.
   */
  feed(chunk: Uint8Array): void {
    if (!isBytes(chunk)) {
      throw new TypeError(`expected a chunk of a CAR as a Uint8Array; type=${typeof chunk}`);
    }
    this.#chunkOffset += this.#chunk.length;
    this.#chunk = chunk;
    this.#at = 0;
    if (this.#roots === undefined) {
      this.#first.add(chunk);
    }
  }

  /**
   * Reads the header and returns the roots, or `undefined` if more chunks are needed. `take` also reads the header.
   * Throws a fault of the header only after enough bytes came to describe the input.
   */
  readHeader(): readonly CID[] | undefined {
    if (this.#roots === undefined && this.#headerFault === undefined) {
      try {
        const header = this.#section('header', this.#maxHeaderSize);
        this.#roots = header && decodeCarHeader(header, this.#maxRoots);
      } catch (error) {
        this.#headerFault = { error };
      }
    }
    if (this.#headerFault !== undefined && this.#first.isFull) {
      throw this.#first.explain(this.#headerFault.error);
    }
    return this.#roots;
  }

  /**
   * Returns the next blocks with verified hashes, or an empty batch at the end of the chunk. Returns all blocks before
   * a fault, then throws it.
   * @throws {RepoError} `Malformed`, `LimitExceeded`.
   */
  take(): PackedBlocks {
    this.#throwFault();
    let frames = new PackedBlocks(this.#chunk, this.#chunkOffset);
    try {
      if (this.readHeader() !== undefined) {
        frames = this.#fill(frames);
        this.#blocks += frames.length;
      }
    } catch (error) {
      this.#fault = { error };
    }
    const mismatch = this.#findMismatch(frames);
    if (mismatch >= 0) {
      // A mismatch is earlier in the chunk than any other fault.
      this.#fault = { error: hashMismatch(frames, mismatch) };
      frames.cut(mismatch);
    }
    if (frames.length === 0) {
      this.#throwFault();
    }
    return frames;
  }

  /**
   * Ends the input and returns the roots. A CAR may end after any block; missing blocks are found in the tree.
   * @throws {RepoError} `Malformed` when the header or the last block is incomplete.
   */
  end(): readonly CID[] {
    const size = this.#chunkOffset + this.#chunk.length;
    if (this.#roots === undefined) {
      const fault = new RepoError('Malformed', `the CAR ends inside its header: get it again; size=${size}`);
      throw this.#first.explain(this.#headerFault?.error ?? fault);
    }
    if (this.#prefixLength > 0 || this.#sectionSize !== undefined) {
      throw new RepoError(
        'Malformed',
        `the CAR ends inside a block: get it again; offset=${this.#sectionOffset}, size=${size}`,
      );
    }
    return this.#roots;
  }

  /** Returns the index of the first block that does not match its CID, or -1. */
  #findMismatch(frames: PackedBlocks): number {
    const { length, memory, starts } = frames;
    if (length === 0) {
      return -1;
    }
    const messages: Uint8Array[] = [];
    for (let i = 0; i < length; i++) {
      messages.push(frames.bytesAt(i));
    }
    const digests = this.#hashAll(messages);
    return starts.findIndex((start, i) => !isDigestOf(memory, digests, i, start - CID_LENGTH));
  }

  #throwFault(): void {
    if (this.#fault !== undefined) {
      throw this.#fault.error;
    }
  }

  /**
   * Adds the next blocks of the chunk. A block that started in an earlier chunk has its own memory and is returned
   * alone.
   */
  #fill(frames: PackedBlocks): PackedBlocks {
    while (frames.length < MAX_BATCH) {
      if (this.#blocks + frames.length >= this.#maxBlocks && this.#at < this.#chunk.length) {
        // At the first byte of one more block, so that the result does not depend on chunk boundaries.
        const offset = this.#chunkOffset + this.#at;
        throw tooLarge(`too many blocks: raise maxBlocks; offset=${offset}, limit=${this.#maxBlocks}`);
      }
      if (this.#addWhole(frames)) {
        continue;
      }
      const section = this.#section('block', CID_LENGTH + this.#maxBlockSize);
      if (section === undefined) {
        break;
      }
      if (!isCidBytes(section)) {
        throw new RepoError(
          'Malformed',
          `a block of the CAR has no CIDv1 of dag-cbor or raw with SHA-256: use the CAR of a repository; offset=${this.#sectionOffset}`,
        );
      }
      const start = this.#at - section.length;
      if (section.buffer !== this.#chunk.buffer) {
        const spread = new PackedBlocks(section, this.#chunkOffset + start);
        spread.push(CID_LENGTH, section.length);
        return spread;
      }
      frames.push(start + CID_LENGTH, this.#at);
    }
    return frames;
  }

  /**
   * Fast path: adds the next block if it is complete in the chunk, within the limits and has a length of two bytes.
   * Nearly all blocks are.
   */
  #addWhole(frames: PackedBlocks): boolean {
    const chunk = this.#chunk;
    const at = this.#at;
    const low = chunk[at]!;
    const high = chunk[at + 1]!;
    // A length of two bytes. The limits are checked below.
    if (this.#sectionSize !== undefined || this.#prefixLength > 0 || !(low >= 0x80 && high > 0 && high < 0x80)) {
      return false;
    }
    const start = at + 2;
    const size = (low & 0x7f) | (high << 7);
    const end = start + size;
    const isWithin =
      end <= chunk.length && size - CID_LENGTH <= this.#maxBlockSize && this.#chunkOffset + end <= this.#maxSize;
    if (!isWithin || size < CID_LENGTH || !isCidBytes(chunk, start)) {
      return false;
    }
    this.#sectionOffset = this.#chunkOffset + at;
    this.#at = end;
    frames.push(start + CID_LENGTH, end);
    return true;
  }

  /** Returns the next section without its length, or `undefined` if the chunk ends inside it. */
  #section(what: 'block' | 'header', most: number): Uint8Array | undefined {
    if (this.#sectionSize === undefined) {
      const size = this.#size(what);
      if (size === undefined) {
        return undefined;
      }
      if (size > most) {
        throw tooLarge(
          `a ${what} is too large: raise the limit; offset=${this.#sectionOffset}, size=${size}, limit=${most}`,
        );
      }
      // Uses the announced size, so that the result does not depend on chunk boundaries.
      if (this.#chunkOffset + this.#at + size > this.#maxSize) {
        throw tooLarge(`the CAR is too large: raise maxSize; offset=${this.#sectionOffset}, limit=${this.#maxSize}`);
      }
      this.#sectionSize = size;
    }
    const section = this.#takeBytes(this.#sectionSize);
    if (section !== undefined) {
      this.#sectionSize = undefined;
    }
    return section;
  }

  /** Returns the length of the next section, or `undefined` if the chunk ends inside it. */
  #size(what: 'block' | 'header'): number | undefined {
    if (this.#prefixLength === 0) {
      this.#sectionOffset = this.#chunkOffset + this.#at;
    }
    while (this.#at < this.#chunk.length) {
      const byte = this.#chunk[this.#at++]!;
      this.#prefix[this.#prefixLength++] = byte;
      if (byte < 0x80 || this.#prefixLength === MAX_VARINT_LENGTH) {
        const prefix = this.#prefix.subarray(0, this.#prefixLength);
        this.#prefixLength = 0;
        return this.#decodeSize(prefix, what);
      }
    }
    return undefined;
  }

  #decodeSize(prefix: Uint8Array, what: 'block' | 'header'): number {
    try {
      return decodeVarint(prefix);
    } catch (cause) {
      if (!isRepoError(cause, 'Malformed')) {
        throw cause;
      }
      const message = `a ${what} of the CAR has no valid length: get it again; offset=${this.#sectionOffset}`;
      throw new RepoError('Malformed', message, { cause });
    }
  }

  /** Returns `size` bytes: a view of the chunk if it holds all of them, otherwise a copy joined from several chunks. */
  #takeBytes(size: number): Uint8Array | undefined {
    const take = Math.min(size - this.#partialLength, this.#chunk.length - this.#at);
    const bytes = this.#chunk.subarray(this.#at, this.#at + take);
    this.#at += take;
    if (take === size) {
      return bytes;
    }
    const length = this.#partialLength + take;
    if (length > this.#partial.length) {
      // Grows by doubling, because the announced size is not trusted.
      const larger = new Uint8Array(Math.min(size, Math.max(length, this.#partial.length * 2)));
      larger.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = larger;
    }
    this.#partial.set(bytes, this.#partialLength);
    this.#partialLength = length;
    if (length < size) {
      return undefined;
    }
    const whole = this.#partial;
    this.#partial = NOTHING;
    this.#partialLength = 0;
    return whole;
  }
}
