import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../../src/core/data/bytes.ts';
import { readCar } from '../../../src/core/car/reader.ts';
import { carBlock, carHeader, writeCar, writeCarStream } from '../../../src/core/car/writer.ts';
import { CODEC_RAW, cidOf, cidToText } from '../../../src/core/data/cid.ts';
import type { Block } from '../../../src/core/blocks/block.ts';
import { asyncOf, blockOf, headerOf, sectionOf } from './raw-car.ts';

const one = blockOf({ name: 'one' });
const raw: Block = { cid: cidOf(CODEC_RAW, new Uint8Array(300)), bytes: new Uint8Array(300) };
const empty: Block = { cid: cidOf(CODEC_RAW, new Uint8Array(0)), bytes: new Uint8Array(0) };
/** 300 blocks of a little more than 1 KiB. */
const many = Array.from({ length: 300 }, (_, i) => blockOf({ i, text: 'x'.repeat(1024) }));
const whole = concatBytes([headerOf(one.cid), ...many.map(sectionOf)]);
const foreign = CID.createV1(0x70, create(0x12, new Uint8Array(32)));

const collect = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array[]> => {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    chunks.push(read.value);
  }
  return chunks;
};

const isSame = (chunks: readonly Uint8Array[], bytes: Uint8Array): boolean => Buffer.concat(chunks).equals(bytes);

test('a header and a block, byte for byte', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  expect(hex(carHeader([]))).toBe('11a265726f6f7473806776657273696f6e01');
  expect(carHeader(one.cid)).toEqual(headerOf(one.cid));
  expect(hex(carBlock(one.cid, one.bytes))).toBe(`2e${hex(one.cid.bytes)}${hex(one.bytes)}`);
  expect(hex(carBlock(raw.cid, raw.bytes)).slice(0, 4)).toBe('d002');
});

test('written blocks are read back, in order and with duplicates', () => {
  const blocks = [raw, one, empty, one];
  const car = readCar(writeCar([raw.cid, one.cid], blocks));
  expect(car.roots.map(cidToText)).toEqual([raw, one].map(({ cid }) => cidToText(cid)));
  expect([...car].map(({ cid, bytes }) => [cidToText(cid), [...bytes]])).toEqual(
    blocks.map(({ cid, bytes }) => [cidToText(cid), [...bytes]]),
  );
});

test('a CID of another kind is a TypeError', async () => {
  expect(() => carHeader(foreign)).toThrow(TypeError);
  expect(() => carBlock(foreign, one.bytes)).toThrow(TypeError);
  expect(() => writeCar(one.cid, [{ ...one, cid: foreign }])).toThrow(TypeError);
  expect(() => writeCarStream(foreign, asyncOf([]))).toThrow(TypeError);
  await expect(collect(writeCarStream(one.cid, asyncOf([{ ...one, cid: foreign }])))).rejects.toThrow(TypeError);
});

describe('as a stream', () => {
  test.each([
    ['one by one', many],
    ['in one batch', [many]],
    ['in batches and alone, some of them empty', [[], many.slice(0, 70), many[70]!, [], many.slice(71)]],
  ])('the same bytes from blocks %s', async (_, blocks) => {
    const chunks = await collect(writeCarStream(one.cid, asyncOf<Block | readonly Block[]>(blocks)));
    expect(isSame(chunks, whole)).toBe(true);
    expect(isSame([writeCar(one.cid, many)], whole)).toBe(true);
    const sizes = chunks.map(({ length }) => length);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(64 * 1024);
    expect(Math.max(...sizes)).toBeLessThan(70 * 1024);
  });

  test('no blocks are a header', async () => {
    expect(isSame(await collect(writeCarStream([], asyncOf([]))), carHeader([]))).toBe(true);
  });

  test('takes no more blocks than are read', async () => {
    let taken = 0;
    const source = async function* (): AsyncGenerator<Block> {
      for (const block of many) {
        taken++;
        yield block;
      }
    };
    const stream = writeCarStream(one.cid, source());
    await new Promise((resolve) => void setTimeout(resolve, 5));
    expect(taken).toBe(0);
    const reader = stream.getReader();
    await reader.read();
    await new Promise((resolve) => void setTimeout(resolve, 5));
    expect(taken).toBe(64);
    await reader.read();
    expect(taken).toBe(128);
    await reader.cancel();
  });

  test('cancelling returns the source, also in the middle of a read', async () => {
    let returned = 0;
    const source = async function* (): AsyncGenerator<Block> {
      try {
        for (const block of many) {
          await new Promise((resolve) => void setTimeout(resolve, 1));
          yield block;
        }
      } finally {
        returned++;
      }
    };
    const reader = writeCarStream(one.cid, source()).getReader();
    await reader.read();
    const pending = reader.read();
    await reader.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(returned).toBe(1);
  });

  test('an error of the source fails the stream unchanged', async () => {
    const error = new Error('of the source');
    const source = async function* (): AsyncGenerator<Block> {
      yield one;
      throw error;
    };
    await expect(collect(writeCarStream(one.cid, source()))).rejects.toBe(error);
  });

  test('chunks are bytes of their own', async () => {
    const bytes = one.bytes.slice();
    const [chunk] = await collect(writeCarStream(one.cid, asyncOf([{ cid: one.cid, bytes }])));
    bytes.fill(0);
    expect(isSame([chunk!], concatBytes([headerOf(one.cid), sectionOf(one)]))).toBe(true);
  });
});
