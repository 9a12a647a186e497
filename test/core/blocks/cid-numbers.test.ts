import { expect, test } from 'vitest';
import { CidNumbers } from '../../../src/core/blocks/cid-numbers.ts';
import { CID_LENGTH, CODEC_DAG_CBOR, CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { seeded } from '../../random/seeded.ts';

const cidBytesOf = (n: number): Uint8Array => cidOf(CODEC_RAW, Uint8Array.of(n, n >> 8, n >> 16)).bytes;

test('numbers are given in the order of arrival, and stay while the table grows', () => {
  const numbers = new CidNumbers();
  const cids = Array.from({ length: 20_000 }, (_, n) => cidBytesOf(n));
  expect(cids.every((cid, n) => numbers.add(cid, 0) && numbers.size === n + 1)).toBe(true);
  expect(cids.map((cid) => numbers.indexOf(cid))).toEqual([...cids.keys()]);
  expect(cids.some((cid) => numbers.add(cid, 0))).toBe(false);
  expect(numbers.size).toBe(cids.length);
  expect(Array.from({ length: 1000 }, (_, n) => numbers.indexOf(cidBytesOf(20_000 + n))).every((n) => n === -1)).toBe(
    true,
  );
});

test.each([0, 1, 700, 5_000_000, Infinity])('a table for %d CIDs has room for any number', (expected) => {
  const numbers = new CidNumbers(expected);
  for (let n = 0; n < 3000; n++) {
    numbers.add(cidBytesOf(n), 0);
  }
  expect([numbers.size, numbers.indexOf(cidBytesOf(2999)), numbers.has(cidBytesOf(3000))]).toEqual([3000, 2999, false]);
});

test('a CID is read where it is stored', () => {
  const numbers = new CidNumbers();
  const chunk = new Uint8Array(5 + 2 * CID_LENGTH);
  chunk.set(cidBytesOf(1), 5);
  chunk.set(cidBytesOf(2), 5 + CID_LENGTH);
  expect([numbers.add(chunk, 5 + CID_LENGTH), numbers.add(chunk, 5)]).toEqual([true, true]);
  expect([numbers.indexOf(cidBytesOf(2)), numbers.indexOf(cidBytesOf(1))]).toEqual([0, 1]);
});

test('CIDs that differ in one bit of any byte, or in the codec, have different numbers', () => {
  const numbers = new CidNumbers();
  const first = cidOf(CODEC_DAG_CBOR, new Uint8Array(10)).bytes;
  const others = [cidOf(CODEC_RAW, new Uint8Array(10)).bytes];
  for (let bit = 0; bit < CID_LENGTH * 8; bit++) {
    const other = first.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    others.push(other);
  }
  numbers.add(first, 0);
  expect(others.filter((other) => numbers.has(other))).toEqual([]);
  expect(others.filter((other) => !numbers.add(other, 0))).toEqual([]);
});

test('CIDs whose digests are equal except for a few bytes have different numbers', () => {
  const random = seeded(1);
  const numbers = new CidNumbers();
  const base = cidBytesOf(7);
  const seen = new Set<string>();
  const wrong: string[] = [];
  for (let n = 0; n < 20_000; n++) {
    const cid = base.slice();
    for (let i = 0; i < 3; i++) {
      cid[4 + Math.floor(random() * 32)] = Math.floor(random() * 256);
    }
    const text = String(cid);
    if (numbers.add(cid, 0) === seen.has(text)) {
      wrong.push(text);
    }
    seen.add(text);
  }
  expect(wrong).toEqual([]);
});

test('the factors differ from table to table, so that nobody can prepare CIDs with equal fingerprints', () => {
  // They have equal fingerprints if the factors of one pair of bytes are half of those of another pair.
  const [first, second] = [new Uint8Array(CID_LENGTH), new Uint8Array(CID_LENGTH)];
  first[4] = 2;
  second[6] = 1;
  for (let i = 0; i < 1000; i++) {
    const numbers = new CidNumbers();
    numbers.add(first, 0);
    expect(numbers.has(second)).toBe(false);
  }
});

test('bytes of another length have no number', () => {
  const numbers = new CidNumbers();
  numbers.add(cidBytesOf(1), 0);
  expect([0, 35, 37].map((length) => numbers.indexOf(new Uint8Array(length)))).toEqual([-1, -1, -1]);
});
