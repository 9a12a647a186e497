/** Writes CARs, version 1, whole or as a stream. https://ipld.io/specs/transport/car/carv1/ */
import type { Bytes } from './bytes.ts';
import { concatBytes } from './bytes.ts';
import { encodeCarHeader } from './car-header.ts';
import type { CID } from './cid.ts';
import { CID_LENGTH, isCidBytes } from './cid.ts';
import type { Block } from './store.ts';
import { encodeVarint } from './varint.ts';

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

/** What goes before a block's bytes: the length of all that follows, and the CID. */
const carBlockHead = (cid: CID, size: number): Bytes => {
  if (cid.bytes.length !== CID_LENGTH || !isCidBytes(cid.bytes)) {
    throw new TypeError('a block of a CAR must be named by a CIDv1 of dag-cbor or raw with SHA-256');
  }
  return concatBytes([encodeVarint(CID_LENGTH + size), cid.bytes]);
};

/**
 * One block as it stands in a CAR. Whether the bytes are those that the CID names is not checked: they were when the
 * block was made.
 * @throws {TypeError} when the CID is not a CIDv1 of dag-cbor or raw with SHA-256.
 */
export const carBlock = (cid: CID, bytes: Uint8Array): Bytes => concatBytes([carBlockHead(cid, bytes.length), bytes]);

/** A whole CAR, blocks in the order given. A lone root stands for a list of one. */
export const writeCar = (roots: CID | readonly CID[], blocks: Iterable<Block>): Bytes => {
  const parts: Uint8Array[] = [carHeader(roots)];
  for (const { cid, bytes } of blocks) {
    parts.push(carBlockHead(cid, bytes.length), bytes);
  }
  return concatBytes(parts);
};

const carChunks = async function* (
  header: Bytes,
  blocks: AsyncIterable<Block | readonly Block[]>,
): AsyncGenerator<Bytes, undefined> {
  let parts: Uint8Array[] = [header];
  let size = 0;
  for await (const item of blocks) {
    for (const { cid, bytes } of 'cid' in item ? [item] : item) {
      parts.push(carBlockHead(cid, bytes.length), bytes);
      size += bytes.length;
      if (size >= CHUNK_SIZE) {
        yield concatBytes(parts);
        parts = [];
        size = 0;
      }
    }
  }
  if (parts.length > 0) {
    yield concatBytes(parts);
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
  blocks: AsyncIterable<Block | readonly Block[]>,
): ReadableStream<Bytes> => streamOf(carChunks(carHeader(roots), blocks));

/** What a CAR is written from, once it is known. */
export interface CarParts {
  readonly roots: CID | readonly CID[];
  readonly blocks: AsyncIterable<Block | readonly Block[]>;
}

/** The same for a CAR whose root has to be looked up: `open` is called when somebody begins to read. */
export const writeCarStreamOf = (open: () => Promise<CarParts>): ReadableStream<Bytes> => {
  const chunks = async function* (): AsyncGenerator<Bytes, undefined> {
    const { roots, blocks } = await open();
    return yield* carChunks(carHeader(roots), blocks);
  };
  return streamOf(chunks());
};
