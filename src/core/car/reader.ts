/**
 * Reads CARs, version 1, from bytes and from streams. https://atproto.com/specs/repository#car-file-serialization
 *
 * Blocks come in the order of the CAR, duplicates included, each with its hash checked. Whether they make a
 * repository, and a whole one, is for others to say.
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
  /** Where the block's bytes begin in the CAR. */
  readonly offset: number;
}

const blocksIn = (frames: PackedBlocks): CarBlock[] =>
  frames.starts.map((_, i) => ({
    cid: decodeCid(frames.cidAt(i)),
    bytes: frames.bytesAt(i),
    offset: frames.offsetAt(i),
  }));

/** A CAR in memory. Iterating reads its blocks from the first on, every time, and throws at the first fault. */
export interface Car extends Iterable<CarBlock> {
  readonly roots: readonly CID[];
}

/**
 * A CAR that is being read. Iterate it once, for batches of blocks, none of them empty: those that lie in one
 * chunk of the source, so that there is an `await` or two a chunk and not one a block. The source is let go of however
 * the iteration ends; who does not iterate calls `close`.
 */
export interface CarStream extends AsyncIterable<readonly CarBlock[]> {
  readonly roots: readonly CID[];
  /** Lets go of the source: cancels a stream, returns an iterator. */
  close(): Promise<void>;
}

/**
 * The CAR in `bytes`. Blocks and their CIDs are views of them, so they must not change.
 * @throws {RepoError} `Malformed` when the bytes break the format; `LimitExceeded`. Here for the header, from the
 *   iterator for the rest: blocks before a fault are given first.
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

/** Gives an empty batch when the header is read, then the blocks. */
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

/** {@link CarStream} as this library reads it. */
export interface PackedCarStream extends AsyncIterable<PackedBlocks> {
  readonly roots: readonly CID[];
  close(): Promise<void>;
}

/** {@link readCarStream} without an object for each CID. */
export const readPackedCar = async (source: CarSource, options: CarOptions = {}): Promise<PackedCarStream> => {
  const decoder = new CarDecoder(options);
  const batches = decodeChunks(source, decoder);
  await batches.next();
  let iterated = false;
  return {
    roots: decoder.roots ?? decoder.end(),
    [Symbol.asyncIterator]() {
      if (iterated) {
        throw new TypeError('a CAR that comes as a stream can be read only once');
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
 * Reads a CAR from any source, in memory for one chunk and one block. Resolves once the header is there. Blocks and
 * their CIDs may be views of the source's chunks: those must not change, and a block or CID that is kept keeps its
 * chunk.
 * @throws {RepoError} `Malformed` when the bytes break the format; `LimitExceeded`. Here for the header, from the
 *   iteration for the rest. An error of the source comes out as it was.
 */
export const readCarStream = async (source: CarSource, options: CarOptions = {}): Promise<CarStream> => {
  const frames = await readPackedCar(source, options);
  return {
    roots: frames.roots,
    [Symbol.asyncIterator]: () => blocksOf(frames[Symbol.asyncIterator]()),
    close: () => frames.close(),
  };
};

/** By hand, for a generator would not let go of the source when it is returned before it has begun. */
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
