/**
 * Reads CARs, version 1, from bytes and from streams. https://atproto.com/specs/repository#car-file-serialization
 *
 * Returns blocks in the order of the CAR, duplicates included, with verified hashes. Does not check that they form a
 * complete repository.
 */
import type { CarOptions } from './decoder.ts';
import { CarDecoder } from './decoder.ts';
import { PackedBlocks } from '../blocks/packed-blocks.ts';
import { toChunks } from './source.ts';
import type { CID } from '../data/cid.ts';
import { decodeCid } from '../data/cid.ts';
import type { CarSource } from './source.ts';
import type { Block } from '../blocks/block.ts';

export interface CarBlock extends Block {
  /** The offset of the block's bytes in the CAR. */
  readonly offset: number;
}

const blocksIn = (frames: PackedBlocks): CarBlock[] =>
  frames.starts.map((_, i) => ({
    cid: decodeCid(frames.cidAt(i)),
    bytes: frames.bytesAt(i),
    offset: frames.offsetAt(i),
  }));

/** A CAR in memory. Each iteration reads all blocks from the start, and throws at the first fault. */
export interface Car extends Iterable<CarBlock> {
  readonly roots: readonly CID[];
}

/**
 * A CAR from a stream. Iterate it once. It yields non-empty batches: the blocks of one chunk of the source, which is
 * faster than one block at a time. The end of the iteration cancels the source. Call `close` if you do not iterate.
 */
export interface CarStream extends AsyncIterable<readonly CarBlock[]> {
  readonly roots: readonly CID[];
  /** Cancels the source. */
  close(): Promise<void>;
}

/**
 * Reads a CAR from bytes. Blocks and CIDs are views of `bytes`: do not change them.
 * @throws {RepoError} `Malformed` when the bytes break the format; `LimitExceeded`. The call throws for the header, the
 *   iterator for the rest, after all blocks before the fault.
 */
export const readCar = (bytes: Uint8Array, options: CarOptions = {}): Car => {
  const open = (): CarDecoder => {
    const decoder = new CarDecoder(options);
    decoder.feed(bytes);
    return decoder;
  };
  const first = open();
  const roots = first.readHeader() ?? first.end();
  return {
    roots,
    *[Symbol.iterator]() {
      const decoder = open();
      for (let blocks = decoder.take(); blocks.length > 0; blocks = decoder.take()) {
        yield* blocksIn(blocks);
      }
      decoder.end();
    },
  };
};

/** Yields an empty batch after the header, then the blocks. */
const decodeChunks = async function* (source: CarSource, decoder: CarDecoder): AsyncGenerator<PackedBlocks, undefined> {
  let opened = false;
  for await (const chunk of toChunks(source)) {
    decoder.feed(chunk);
    if (!opened && decoder.readHeader() !== undefined) {
      opened = true;
      yield new PackedBlocks(chunk, 0);
    }
    for (let frames = decoder.take(); frames.length > 0; frames = decoder.take()) {
      yield frames;
    }
  }
  decoder.end();
};

/** As {@link CarStream}, with packed blocks. */
export interface PackedCarStream extends AsyncIterable<PackedBlocks> {
  readonly roots: readonly CID[];
  close(): Promise<void>;
}

/** As {@link readCarStream}, without an object per CID. */
export const readPackedCar = async (source: CarSource, options: CarOptions = {}): Promise<PackedCarStream> => {
  const decoder = new CarDecoder(options);
  const batches = decodeChunks(source, decoder);
  await batches.next();
  let iterated = false;
  return {
    roots: decoder.roots ?? decoder.end(),
    [Symbol.asyncIterator]() {
      if (iterated) {
        throw new TypeError('cannot iterate the blocks of a CAR stream twice: read the CAR again');
      }
      iterated = true;
      return batches;
    },
    async close() {
      iterated = true;
      await batches.return(undefined);
    },
  };
};

/**
 * Reads a CAR from any source, with memory for one chunk and one block. Resolves after the header. Blocks and CIDs may
 * be views of the source's chunks: do not change the chunks. A block or CID keeps its chunk in memory.
 * @throws {RepoError} `Malformed` when the bytes break the format; `LimitExceeded`. The call rejects for the header,
 *   the iteration for the rest. Errors of the source are thrown unchanged.
 */
export const readCarStream = async (source: CarSource, options: CarOptions = {}): Promise<CarStream> => {
  const frames = await readPackedCar(source, options);
  return {
    roots: frames.roots,
    [Symbol.asyncIterator]: () => blocksOf(frames[Symbol.asyncIterator]()),
    close: () => frames.close(),
  };
};

/** Not a generator: a generator that is returned before its first `next` would not cancel the source. */
const blocksOf = (frames: AsyncIterator<PackedBlocks>): AsyncIterator<readonly CarBlock[]> => ({
  async next() {
    const { done, value } = await frames.next();
    return done === true ? { done, value: undefined } : { done: false, value: blocksIn(value) };
  },
  async return() {
    await frames.return?.();
    return { done: true, value: undefined };
  },
});
