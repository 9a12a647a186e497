/** Writes CARs, version 1, to bytes or to a stream. https://ipld.io/specs/transport/car/carv1/ */
import type { Bytes } from '../data/bytes.ts';
import { concatBytes } from '../data/bytes.ts';
import { byteStream } from '../data/streams.ts';
import { encodeCarHeader } from './header.ts';
import type { CID, CidLike } from '../data/cid.ts';
import { bytesOfCid, CID_LENGTH, isCidBytes } from '../data/cid.ts';
import type { NamedBlock } from '../blocks/block.ts';
import { encodeVarint, varintLength, writeVarint } from '../data/varint.ts';

/** Bytes of a chunk. Blocks have a few hundred bytes, and each chunk has a cost for the reader. */
const CHUNK_SIZE = 64 * 1024;

/**
 * Returns the header of a CAR with its length.
 * @throws {TypeError} when a root is not a CIDv1 of dag-cbor or raw with SHA-256.
 */
export const carHeader = (roots: CID | readonly CID[]): Bytes => {
  const header = encodeCarHeader(roots);
  return concatBytes([encodeVarint(header.length), header]);
};

/** Returns the size of a block in a CAR: its length prefix, its CID and its bytes. */
const sizeInCar = ({ cid, bytes }: NamedBlock): number => {
  const name = bytesOfCid(cid);
  if (name.length !== CID_LENGTH || !isCidBytes(name)) {
    throw new TypeError(`expected a block with a CIDv1 of dag-cbor or raw with SHA-256; cid=${String(cid)}`);
  }
  const size = CID_LENGTH + bytes.length;
  return varintLength(size) + size;
};

/** Joins `before` and the blocks in one buffer. Each block is copied once. */
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
 * Returns one block in the form of a CAR. Does not check the hash of the block.
 * @throws {TypeError} when the CID is not a CIDv1 of dag-cbor or raw with SHA-256.
 */
export const carBlock = (cid: CidLike, bytes: Uint8Array): Bytes => joined(NOTHING, [{ cid, bytes }]);

/** Returns a CAR with the blocks in the given order. */
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

/**
 * Returns a CAR as a stream, with the blocks in the given order. `blocks` yields blocks or batches. It is read on
 * demand, one chunk of 64 KiB ahead. Its errors fail the stream unchanged, and `cancel` ends its iteration.
 * @throws {TypeError} as in {@link carHeader}; the stream fails as in {@link carBlock}.
 */
export const writeCarStream = (
  roots: CID | readonly CID[],
  blocks: AsyncIterable<NamedBlock | readonly NamedBlock[]>,
): ReadableStream<Bytes> => byteStream(carChunks(carHeader(roots), blocks));

/** The roots and blocks of a CAR to write. */
export interface CarParts {
  readonly roots: CID | readonly CID[];
  readonly blocks: AsyncIterable<NamedBlock | readonly NamedBlock[]>;
}

/** The same for a CAR whose root is looked up first. Calls `open` at the first read. */
export const writeCarStreamOf = (open: () => Promise<CarParts>): ReadableStream<Bytes> => {
  const chunks = async function* (): AsyncGenerator<Bytes, undefined> {
    const { roots, blocks } = await open();
    return yield* carChunks(carHeader(roots), blocks);
  };
  return byteStream(chunks());
};
