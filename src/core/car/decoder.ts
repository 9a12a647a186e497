/**
 * The engine under both ways to read a CAR, `readCar` and `readCarStream`: takes chunks cut anywhere and gives
 * blocks. The same bytes get the same verdict however they are cut. https://ipld.io/specs/transport/car/carv1/
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

/** A header of 64 roots takes 2.6 KB. This leaves room for other limits and none for filling memory. */
export const MAX_CAR_HEADER: number = 1024 * 1024;

/** Twice the 1 MiB that a record may have, as large as any block that hosts pass on. */
export const MAX_BLOCK_SIZE: number = 2 * 1024 * 1024;

/** Three times the largest accounts. A stream that never ends has to end somewhere before the disk does. */
export const MAX_CAR_SIZE: number = 1024 * 1024 * 1024;

/**
 * Room for ten million records and their nodes, three times what a CAR of {@link MAX_CAR_SIZE} holds at 320 bytes a
 * record. Of blocks of a few bytes 26 million would fit, and whoever reads a CAR whole holds the name of each: so many
 * names take 1.1 GB, and 1.5 while their table grows.
 */
export const MAX_CAR_BLOCKS: number = 16 * 1024 * 1024;

/** So many blocks at most are checked and given at once, when a chunk holds more: it bounds what is alive. */
const MAX_BATCH = 1024;

export interface CarOptions {
  /** Hashes the blocks, many at a time; one by one in JavaScript when left out. */
  readonly hashAll?: HashAll | undefined;
  /** The most blocks the CAR may have, doubled ones counted; {@link MAX_CAR_BLOCKS} when left out. */
  readonly maxBlocks?: number | undefined;
  /** The most bytes a block may have; {@link MAX_BLOCK_SIZE} when left out. */
  readonly maxBlockSize?: number | undefined;
  /** The most bytes the header may have; {@link MAX_CAR_HEADER} when left out. */
  readonly maxHeaderSize?: number | undefined;
  /** The most roots the header may name; `MAX_CAR_ROOTS` when left out. */
  readonly maxRoots?: number | undefined;
  /** The most bytes the whole CAR may have; {@link MAX_CAR_SIZE} when left out. */
  readonly maxSize?: number | undefined;
}

const hashMismatch = (frames: PackedBlocks, index: number): RepoError =>
  new RepoError(
    'Malformed',
    `block is not what its CID names; offset=${frames.offsetAt(index)}, cid=${cidBytesToText(frames.cidAt(index))}`,
  );

const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/**
 * Reads one CAR. Give it a chunk with `feed`, take batches until one is empty, and so on; `end` after the last chunk.
 * Of no more use after it has thrown.
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
  /** How far the chunk has been read, and where in the CAR it begins. */
  #at = 0;
  #chunkOffset = 0;
  /** Of the section (header or block) that is being read: where it begins, and its size once that is known. */
  #sectionOffset = 0;
  #sectionSize: number | undefined;
  /** The beginning of a section that is spread over chunks. */
  #partial: Uint8Array = NOTHING;
  #partialLength = 0;
  #roots: readonly CID[] | undefined;
  readonly #first = new FirstBytes();
  #headerFault: { readonly error: unknown } | undefined;
  /** How many blocks have been given. */
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
   * The next chunk. What was fed before must have been taken. Blocks and their CIDs are views of it where they lie
   * whole inside it: it must not change, and lives as long as any of them.
   */
  feed(chunk: Uint8Array): void {
    if (!isBytes(chunk)) {
      throw new TypeError('a chunk of a CAR must be a Uint8Array');
    }
    this.#chunkOffset += this.#chunk.length;
    this.#chunk = chunk;
    this.#at = 0;
    if (this.#roots === undefined) {
      this.#first.add(chunk);
    }
  }

  /**
   * Reads the header as far as it is there. `take` does so, too; this is for who wants the roots before any block. What
   * is wrong with it is thrown once there are enough bytes to say what else the input may be.
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
   * The next blocks, with their hashes checked; none when the chunk is used up. All blocks before a fault are given
   * before it is thrown.
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
      // Comes before whatever else is wrong in this chunk.
      this.#fault = { error: hashMismatch(frames, mismatch) };
      frames.cut(mismatch);
    }
    if (frames.length === 0) {
      this.#throwFault();
    }
    return frames;
  }

  /**
   * Says that there are no more chunks, and answers the roots. A CAR may end after any block: that more belonged to it
   * only shows in the tree.
   * @throws {RepoError} `Malformed` when the header is not there or the last block is not whole.
   */
  end(): readonly CID[] {
    const size = this.#chunkOffset + this.#chunk.length;
    if (this.#roots === undefined) {
      const fault = new RepoError('Malformed', `CAR ends before its header does; size=${size}`);
      throw this.#first.explain(this.#headerFault?.error ?? fault);
    }
    if (this.#prefixLength > 0 || this.#sectionSize !== undefined) {
      throw new RepoError('Malformed', `CAR ends inside a block; offset=${this.#sectionOffset}, size=${size}`);
    }
    return this.#roots;
  }

  /** The first block whose bytes are not those that its CID names, or -1. */
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
   * Adds the next blocks of the chunk. One that began in an earlier chunk has memory of its own, and is answered by
   * itself.
   */
  #fill(frames: PackedBlocks): PackedBlocks {
    while (frames.length < MAX_BATCH) {
      if (this.#blocks + frames.length >= this.#maxBlocks && this.#at < this.#chunk.length) {
        // At the first byte of one more, so that the verdict does not depend on how the CAR is cut.
        const offset = this.#chunkOffset + this.#at;
        throw new RepoError('LimitExceeded', `CAR has too many blocks; offset=${offset}, limit=${this.#maxBlocks}`);
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
          `block is not named by a CIDv1 of dag-cbor or raw with SHA-256; offset=${this.#sectionOffset}`,
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
   * Adds the next block, where it lies whole in the chunk and nothing about it is unusual: so do nearly all, and they
   * are not looked at twice.
   */
  #addWhole(frames: PackedBlocks): boolean {
    const chunk = this.#chunk;
    const at = this.#at;
    const low = chunk[at]!;
    const high = chunk[at + 1]!;
    // Their length takes two bytes, which the limits for blocks and for the whole then have to allow.
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

  /** The next section without its length, or `undefined` when the chunk ends inside it. */
  #section(what: 'block' | 'header', most: number): Uint8Array | undefined {
    if (this.#sectionSize === undefined) {
      const size = this.#size(what);
      if (size === undefined) {
        return undefined;
      }
      if (size > most) {
        throw new RepoError(
          'LimitExceeded',
          `CAR ${what} is too large; offset=${this.#sectionOffset}, size=${size}, limit=${most}`,
        );
      }
      // By what is announced, so that the verdict does not depend on how the CAR is cut.
      if (this.#chunkOffset + this.#at + size > this.#maxSize) {
        throw new RepoError('LimitExceeded', `CAR is too large; offset=${this.#sectionOffset}, limit=${this.#maxSize}`);
      }
      this.#sectionSize = size;
    }
    const section = this.#takeBytes(this.#sectionSize);
    if (section !== undefined) {
      this.#sectionSize = undefined;
    }
    return section;
  }

  /** The length before a section, or `undefined` when the chunk ends inside it. */
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
      throw new RepoError('Malformed', `CAR ${what} has no valid length; offset=${this.#sectionOffset}`, { cause });
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
      // By doubling, because a size that was announced is a claim until the bytes are here.
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
