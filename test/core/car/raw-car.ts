/** CARs put together byte by byte, right ones and wrong ones, and read cut in every way. */
import { concatBytes } from '../../../src/core/data/bytes.ts';
import type { CarOptions } from '../../../src/core/car/decoder.ts';
import { readCar, readCarStream } from '../../../src/core/car/reader.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import type { CID } from '../../../src/core/data/cid.ts';
import { CODEC_DAG_CBOR, cidOf, cidToText } from '../../../src/core/data/cid.ts';
import { RepoError } from '../../../src/core/errors.ts';
import type { Block } from '../../../src/core/blocks/block.ts';
import { encodeVarint } from '../../../src/core/data/varint.ts';

export const blockOf = (value: unknown): Block => {
  const bytes = encodeCbor(value);
  return { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes };
};

/** A correct length, and the bytes. */
export const section = (...parts: readonly Uint8Array[]): Uint8Array => {
  const content = concatBytes(parts);
  return concatBytes([encodeVarint(content.length), content]);
};

export const sectionOf = ({ cid, bytes }: Block): Uint8Array => section(cid.bytes, bytes);

export const headerOf = (...roots: readonly CID[]): Uint8Array => section(encodeCbor({ roots, version: 1 }));

/** Yields the bytes in chunks of the lengths that `next` returns. */
export const cut = (bytes: Uint8Array, next: () => number): Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + next();
    pieces.push(bytes.slice(at, end));
    at = end;
  }
  return pieces;
};

export const asyncOf = async function* <T>(items: Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
};

/** The result of reading a CAR: all blocks, then how it ended. */
export interface Verdict {
  readonly roots?: readonly string[];
  readonly blocks: readonly string[];
  /** `ok`, or the code and the message. */
  readonly end: string;
}

const describeBlock = (block: Block & { readonly offset: number }): string =>
  `${block.offset} ${cidToText(block.cid)} ${block.bytes.length}`;

const endOf = (error: unknown): string => {
  if (error instanceof RepoError) {
    return `${error.code}: ${error.message}`;
  }
  throw error;
};

export const readWhole = (bytes: Uint8Array, options?: CarOptions): Verdict => {
  const blocks: string[] = [];
  let roots: string[] | undefined;
  try {
    const car = readCar(bytes, options);
    roots = car.roots.map(cidToText);
    for (const block of car) {
      blocks.push(describeBlock(block));
    }
  } catch (error) {
    return { ...(roots && { roots }), blocks, end: endOf(error) };
  }
  return { roots, blocks, end: 'ok' };
};

export const readPieces = async (pieces: Iterable<Uint8Array>, options?: CarOptions): Promise<Verdict> => {
  const blocks: string[] = [];
  let roots: string[] | undefined;
  try {
    const car = await readCarStream(asyncOf(pieces), options);
    roots = car.roots.map(cidToText);
    for await (const batch of car) {
      blocks.push(...batch.map(describeBlock));
    }
  } catch (error) {
    return { ...(roots && { roots }), blocks, end: endOf(error) };
  }
  return { roots, blocks, end: 'ok' };
};
