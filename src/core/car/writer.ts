/** Writes CARs, version 1, whole or as a stream. https://ipld.io/specs/transport/car/carv1/ */
import type { Bytes } from '../data/bytes.ts';
import { concatBytes } from '../data/bytes.ts';
import { encodeCarHeader } from './header.ts';
import type { CID, CidLike } from '../data/cid.ts';
import { bytesOfCid, CID_LENGTH, isCidBytes } from '../data/cid.ts';
import type { NamedBlock } from '../blocks/block.ts';
import { encodeVarint, varintLength, writeVarint } from '../data/varint.ts';

/** Blocks are a few hundred bytes each, and whoever takes a chunk pays for it by the piece. */
const CHUNK_SIZE = 64 * 1024;

/**
 * The beginning of a CAR: the header and its length.
 * @throws {TypeError} when a root is not a CIDv1 of dag-cbor or raw with SHA-256.
 */
export const carHeader = (roots: CID | readonly CID[]): Bytes => {
  const header = encodeCarHeader(roots);
  return concatBytes([encodeVarint(header.length), header]);
};

/** How many bytes a block takes in a CAR: its length, its CID and its own. */
const sizeInCar = ({ cid, bytes }: NamedBlock): number => {
  const name = bytesOfCid(cid);
  if (name.length !== CID_LENGTH || !isCidBytes(name)) {
    throw new TypeError('a block of a CAR must be named by a CIDv1 of dag-cbor or raw with SHA-256');
  }
  const size = CID_LENGTH + bytes.length;
  return varintLength(size) + size;
};

/**
 * Some bytes and the blocks that follow them, in one piece: what is copied once is not put together from small pieces
 * first.
 */
const joined = (before: Uint8Array, blocks: readonly NamedBlock[]): Bytes => {
  const whole = new Uint8Array(blocks.reduce((size, block) => size + sizeInCar(block), before.length));
  whole.set(before);
  let at = before.length;
  for (const { cid, bytes } of blocks) {
    at = writeVarint(CID_LENGTH + bytes.length, whole, at);
    whole.set(bytesOfCid(cid), at);
    whole.set(bytes, at + CID_LENGTH);
    at += CID_LENGTH + bytes.length;
  }
  return whole;
};

const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/**
 * One block as it stands in a CAR. Whether the bytes are those that the CID names is not checked: they were when the
 * block was made.
 * @throws {TypeError} when the CID is not a CIDv1 of dag-cbor or raw with SHA-256.
 */
export const carBlock = (cid: CidLike, bytes: Uint8Array): Bytes => joined(NOTHING, [{ cid, bytes }]);

/** A whole CAR, blocks in the order given. A lone root stands for a list of one. */
export const writeCar = (roots: CID | readonly CID[], blocks: Iterable<NamedBlock>): Bytes =>
  joined(carHeader(roots), [...blocks]);

const carChunks = async function* (
  header: Bytes,
  blocks: AsyncIterable<NamedBlock | readonly NamedBlock[]>,
): AsyncGenerator<Bytes, undefined> {
  let before: Uint8Array = header;
  let part: NamedBlock[] = [];
  let size = 0;
  for await (const item of blocks) {
    for (const block of 'cid' in item ? [item] : item) {
      part.push(block);
      size += block.bytes.length;
      if (size >= CHUNK_SIZE) {
        yield joined(before, part);
        before = NOTHING;
        part = [];
        size = 0;
      }
    }
  }
  if (before.length > 0 || part.length > 0) {
    yield joined(before, part);
  }
};

const streamOf = (chunks: AsyncGenerator<Bytes, undefined>): ReadableStream<Bytes> =>
  new ReadableStream<Bytes>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) {
          controller.close();
        } else {
          controller.enqueue(value);
        }
      },
      async cancel() {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );

/**
 * A CAR as a stream, blocks in the order given, one by one or in batches. Nothing is taken from `blocks` before
 * somebody reads, and then only what fills one chunk of 64 KiB. A failure of `blocks` fails the stream as it was, and
 * `cancel` returns their iterator.
 * @throws {TypeError} as {@link carHeader} does; the stream fails as {@link carBlock} does.
 */
export const writeCarStream = (
  roots: CID | readonly CID[],
  blocks: AsyncIterable<NamedBlock | readonly NamedBlock[]>,
): ReadableStream<Bytes> => streamOf(carChunks(carHeader(roots), blocks));

/** What a CAR is written from, once it is known. */
export interface CarParts {
  readonly roots: CID | readonly CID[];
  readonly blocks: AsyncIterable<NamedBlock | readonly NamedBlock[]>;
}

/** The same for a CAR whose root has to be looked up: `open` is called when somebody begins to read. */
export const writeCarStreamOf = (open: () => Promise<CarParts>): ReadableStream<Bytes> => {
  const chunks = async function* (): AsyncGenerator<Bytes, undefined> {
    const { roots, blocks } = await open();
    return yield* carChunks(carHeader(roots), blocks);
  };
  return streamOf(chunks());
};
