/** The limits that no other suite tests, at the limit and one above it. */
import { expect, test } from 'vitest';
import { concatBytes } from '../../src/core/data/bytes.ts';
import { MAX_CBOR_VALUES, checkCbor } from '../../src/core/data/cbor-check.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import type { CidBytes } from '../../src/core/data/cid.ts';
import { decodeContent, encodeNode } from '../../src/core/mst/codec.ts';
import { MAX_NODE_KEYS_SIZE, createNode } from '../../src/core/mst/node.ts';
import { verifyCar } from '../../src/core/repo/transfer/verify-car.ts';
import { cut, headerOf, readPieces, readWhole } from '../core/car/raw-car.ts';
import { head } from '../core/mst/raw-node.ts';
import { carOf, posts, repositoryOf } from './build-repository.ts';

/** Returns a list of lists with `count` values in total. */
const values = (count: number): number[][] => {
  const inner = Math.floor((count - 5) / 4);
  const lists = Array.from({ length: 4 }, () => Array.from({ length: inner }, () => 0));
  lists[0]!.push(...Array.from({ length: count - 5 - 4 * inner }, () => 0));
  return lists;
};

test('the values of one record', () => {
  expect(() => checkCbor(encodeCbor(values(MAX_CBOR_VALUES)))).not.toThrow();
  expect(() => encodeCbor(values(MAX_CBOR_VALUES + 1))).toThrow(expect.objectContaining({ code: 'InvalidRecord' }));
  const list = concatBytes([head(4, 65_536), new Uint8Array(65_536)]);
  expect(() => checkCbor(concatBytes([head(4, 4), list, list, list, list]))).toThrow(
    expect.objectContaining({ code: 'Malformed', message: expect.stringMatching(/262144 values/) }),
  );
});

test('the limit counts values, not bytes', () => {
  const long = {
    text: 'x'.repeat(500_000),
    bytes: new Uint8Array(500_000),
    list: Array.from({ length: 1000 }, () => ({ a: null, b: -70_000 })),
  };
  expect(() => checkCbor(encodeCbor(long))).not.toThrow();
});

test('the keys of one node', () => {
  const value = posts(1)[0]![1].cid.bytes as CidBytes;
  const nodeOf = (count: number, last: number) => {
    const keys = Array.from(
      { length: count },
      (_, i) => `com.example.a/${String(i).padStart(i === count - 1 ? last : 498, '0')}`,
    );
    return { keys, values: keys.map(() => value), children: [undefined, ...keys.map(() => undefined)] };
  };
  // 512 keys of 512 bytes.
  const most = nodeOf(512, 498);
  expect(most.keys.join('').length).toBe(MAX_NODE_KEYS_SIZE);
  expect(decodeContent(encodeNode(most)).keys).toEqual(most.keys);
  expect(createNode(0, most.keys, most.values, most.children).keys).toBe(most.keys);
  const more = { ...most, keys: most.keys.with(511, `${most.keys[511]}0`) };
  expect(() => decodeContent(encodeNode(more))).toThrow(
    expect.objectContaining({ code: 'Malformed', message: expect.stringMatching(/262145 bytes .* limit is 262144/) }),
  );
  expect(() => createNode(0, more.keys, more.values, more.children)).toThrow(
    expect.objectContaining({ code: 'LimitExceeded' }),
  );
});

test('the bytes of a CAR, for every chunking', async () => {
  const car = carOf(await repositoryOf());
  expect(readWhole(car, { maxSize: car.length }).end).toBe('ok');
  const past = readWhole(car, { maxSize: car.length - 1 });
  expect(past.end).toMatch(/^LimitExceeded: the CAR is too large/);
  for (const size of [1, 7, 1000]) {
    expect(
      await readPieces(
        cut(car, () => size),
        { maxSize: car.length - 1 },
      ),
    ).toEqual(past);
  }
});

test('the blocks of a CAR, for every chunking', async () => {
  const repository = await repositoryOf();
  const [car, count] = [carOf(repository), repository.blocks.length];
  expect(readWhole(car, { maxBlocks: count }).end).toBe('ok');
  expect(await verifyCar(car, { maxBlocks: count })).toMatchObject({ ok: true });
  const past = readWhole(car, { maxBlocks: count - 1 });
  expect(past.end).toMatch(/^LimitExceeded: too many blocks/);
  expect(past.blocks).toHaveLength(count - 1);
  for (const size of [1, 7, 1000]) {
    expect(
      await readPieces(
        cut(car, () => size),
        { maxBlocks: count },
      ),
    ).toMatchObject({ end: 'ok' });
    expect(
      await readPieces(
        cut(car, () => size),
        { maxBlocks: count - 1 },
      ),
    ).toEqual(past);
  }
  await expect(verifyCar(car, { maxBlocks: count - 1 })).rejects.toMatchObject({ code: 'LimitExceeded' });
  expect(readWhole(headerOf(), { maxBlocks: 0 }).end).toBe('ok');
});
