import { decode as decodeByDagCbor, encode as encodeByDagCbor } from '@ipld/dag-cbor';
import { describe, expect, test } from 'vitest';
import { equalBytes } from '../../../src/core/data/bytes.ts';
import { checkCbor } from '../../../src/core/data/cbor-check.ts';
import { decodeCbor, decodeRecord } from '../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import type { CID } from '../../../src/core/data/cid.ts';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const textHex = (text: string): string => Buffer.from(text).toString('hex');

const malformed = (offset: number): unknown =>
  expect.objectContaining({
    name: 'RepoError',
    code: 'Malformed',
    message: expect.stringMatching(new RegExp(`offset=${offset}$`)),
  });
const invalidAt = (path: string): unknown =>
  expect.objectContaining({
    name: 'RepoError',
    code: 'InvalidRecord',
    message: expect.stringMatching(new RegExp(` at ${path.replace(/[()[\]$]/g, '\\$&')}[:;]`)),
  });

const raw = cidOf(CODEC_RAW, Uint8Array.of(1, 2, 3));
const linkHex = `d82a5825 00 ${toHex(raw.bytes)}`;

describe('one value has one encoding', () => {
  test.each<[string, unknown, string]>([
    ['null', null, 'f6'],
    ['false', false, 'f4'],
    ['true', true, 'f5'],
    ['0', 0, '00'],
    ['23', 23, '17'],
    ['24', 24, '1818'],
    ['255', 255, '18ff'],
    ['256', 256, '190100'],
    ['65,535', 65_535, '19ffff'],
    ['65,536', 65_536, '1a00010000'],
    ['2^32 - 1', 2 ** 32 - 1, '1affffffff'],
    ['2^32', 2 ** 32, '1b0000000100000000'],
    ['2^53 - 1', Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    ['-1', -1, '20'],
    ['-24', -24, '37'],
    ['-25', -25, '3818'],
    ['-(2^32)', -(2 ** 32), '3affffffff'],
    ['-(2^53 - 1)', Number.MIN_SAFE_INTEGER, '3b001ffffffffffffe'],
    ['no text', '', '60'],
    ['text with a zero and a byte order mark', '\ufeff\0a', '65efbbbf0061'],
    ['a text of 23 bytes', 'x'.repeat(23), `77${'78'.repeat(23)}`],
    ['a text of 24 bytes', 'x'.repeat(24), `7818${'78'.repeat(24)}`],
    ['a text of 8 characters and 24 bytes', '水'.repeat(8), `7818${'e6b0b4'.repeat(8)}`],
    ['a text of 24 characters and 25 bytes', `${'x'.repeat(23)}é`, `7819${'78'.repeat(23)}c3a9`],
    ['a text of 100 characters and 300 bytes', '水'.repeat(100), `79012c${'e6b0b4'.repeat(100)}`],
    ['a text past the 16th plane', '\u{10ffff}', '64f48fbfbf'],
    ['bytes', Uint8Array.of(0, 255), '4200ff'],
    ['a link', raw, linkHex],
    ['arrays', [[], [1]], '82808101'],
    ['a map, the shorter key first', { b: 1, aa: 2, a: 3, '': 4 }, 'a4 6004 616103 616201 62616102'],
  ])('%s', (_, value, hex) => {
    const bytes = encodeCbor(value);
    expect(toHex(bytes)).toBe(hex.replaceAll(' ', ''));
    expect(decodeCbor(bytes)).toEqual(value);
    // The library drops a byte order mark, which is a character of the text.
    expect(decodeByDagCbor(bytes)).toEqual(typeof value === 'string' ? value.replace(/^\ufeff/, '') : value);
  });

  test('-0 is 0, and a bigint that a number can hold is that number', () => {
    expect(toHex(encodeCbor([-0, 5n, -(2n ** 40n)]))).toBe(toHex(encodeCbor([0, 5, -(2 ** 40)])));
  });

  test('a member that is undefined is left out', () => {
    expect(toHex(encodeCbor({ a: undefined, b: 1 }))).toBe('a1616201');
  });

  test('the order of keys is that of their UTF-8, not of their UTF-16', () => {
    // U+FFFF is before U+10000 by bytes at the same length of 4; by units of UTF-16 it comes after.
    const keys = ['\u{10000}', 'a\uffff', '\uffff', 'é', 'zz'];
    const inOrder = ['zz', 'é', '\uffff', 'a\uffff', '\u{10000}'];
    const value = Object.fromEntries(keys.map((key) => [key, 0]));
    expect(Object.keys(decodeCbor(encodeCbor(value)) as object)).toEqual(inOrder);
  });

  test('larger than any buffer that is kept', () => {
    const value = {
      text: 'ä'.repeat(200_000),
      bytes: new Uint8Array(300_000).fill(7),
      list: Array.from({ length: 50_000 }, (_, i) => i),
    };
    const bytes = encodeCbor(value);
    const back = decodeCbor(bytes) as typeof value;
    expect(back.text === value.text).toBe(true);
    expect(equalBytes(back.bytes, value.bytes)).toBe(true);
    expect(back.list.every((entry, i) => entry === i)).toBe(true);
  });
});

test('texts of every length, and with a character of several bytes at every place', () => {
  for (let length = 0; length < 140; length++) {
    const ascii = Array.from({ length }, (_, i) => String.fromCharCode(32 + ((i * 7 + length) % 95))).join('');
    expect(decodeCbor(encodeByDagCbor(ascii))).toBe(ascii);
    for (const wide of length < 80 ? ['é', '€', '𝄞', '\u{feff}'] : []) {
      const texts = Array.from({ length: length + 1 }, (_, at) => ascii.slice(0, at) + wide + ascii.slice(at));
      expect(decodeCbor(encodeByDagCbor(texts))).toEqual(texts);
    }
  }
});

describe('keys that the language knows', () => {
  const value = JSON.parse(
    '{"1":0,"10":{"__proto__":{"polluted":true}},"__proto__":7,"constructor":1,"toString":2}',
  ) as object;

  test('are keys like any other', () => {
    const decoded = decodeCbor(encodeCbor(value)) as Record<string, unknown>;
    expect(Object.keys(decoded).toSorted()).toEqual(Object.keys(value).toSorted());
    expect(Object.getOwnPropertyDescriptor(decoded, '__proto__')?.value).toBe(7);
    expect(Object.keys(decoded['10'] as object)).toEqual(['__proto__']);
    expect((decoded['10'] as { polluted?: unknown }).polluted).toBeUndefined();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(encodeCbor(decoded)).toEqual(encodeCbor(value));
  });

  test('maps have no prototype', () => {
    expect(Object.getPrototypeOf(decodeCbor(fromHex('a0')))).toBeNull();
  });
});

describe('decoding rejects', () => {
  test.each<[string, string, number]>([
    ['empty input', '', 0],
    ['a second value', '0000', 1],
    ['a float', 'fb3ff8000000000000', 0],
    ['a float that is an integer', 'fb3ff0000000000000', 0],
    ['undefined', '81f7', 1],
    ['a break', '81ff', 1],
    ['a reserved head', '811c', 1],
    ['an indefinite array', '9fff', 0],
    ['an indefinite key', 'a17f616aff00', 1],
    ['a head that ends early', '8119ff', 1],
    ['2^53', '1b0020000000000000', 0],
    ['-(2^53)', '3b001fffffffffffff', 0],
    ['2^64 - 1', '1bffffffffffffffff', 0],
    ['23 in two bytes', '811817', 1],
    ['a short length in nine bytes', '7b000000000000000161', 0],
    ['text that ends early', '6261', 0],
    ['bytes that end early', '5bffffffffffffffff', 0],
    ['4 GiB of missing entries', '9affffffff', 0],
    ['missing entries', '820000'.slice(0, 4), 0],
    ['missing members', 'a2616100', 0],
    ['a missing value', '8281', 0],
    ['a lone byte of a text', '6180', 1],
    ['a short form made long', '62c1bf', 1],
    ['a short form of three made long', '63e09fbf', 1],
    ['a surrogate', '63eda080', 1],
    ['a code point above U+10FFFF', '64f4908080', 1],
    ['a text cut in a character', '62e282', 1],
    ['an invalid third byte', '63e28228', 1],
    ['a key that is not a text', 'a10000', 1],
    ['a key that is not UTF-8', 'a161ff00', 2],
    ['keys out of order', 'a2616200616100', 4],
    ['the longer key first', 'a262616100616200', 5],
    ['a double key', 'a2616100616100', 4],
    ['another tag', 'c100', 0],
    ['tag 42 in three bytes', `d9002a${linkHex.slice(4)}`, 0],
    ['tag 42 over text', `d82a7825${textHex('x'.repeat(37))}`, 0],
    ['a link without its zero', `d82a5824${toHex(raw.bytes)}`, 0],
    ['a link with a one for its zero', `d82a5825 01 ${toHex(raw.bytes)}`, 0],
    ['a link of another hash', `d82a5825000155 1e20${'00'.repeat(32)}`, 0],
    ['a link of another codec', `d82a5825000170 1220${'00'.repeat(32)}`, 0],
    ['a link that ends early', linkHex.slice(0, -2), 0],
    ['a link of 37 bytes', `d82a582600${toHex(raw.bytes)}00`, 0],
  ])('%s', (_, hex, offset) => {
    expect(() => decodeCbor(fromHex(hex))).toThrow(malformed(offset));
    expect(() => checkCbor(fromHex(hex))).toThrow(malformed(offset));
  });

  test('a value that is not a Uint8Array', () => {
    expect(() => decodeCbor('f6' as unknown as Uint8Array)).toThrow(TypeError);
  });
});

describe('limits', () => {
  const nested = (levels: number): unknown => Array.from({ length: levels }).reduce((inner: unknown) => [inner], 0);
  const nestedBytes = (levels: number): Uint8Array => Uint8Array.from([...Array<number>(levels).fill(0x81), 0]);

  test('64 levels, and not 65', () => {
    expect(encodeCbor(nested(64))).toEqual(nestedBytes(64));
    expect(decodeCbor(nestedBytes(64))).toEqual(nested(64));
    expect(() => encodeCbor(nested(65))).toThrow(invalidAt('/0'.repeat(64)));
    expect(() => decodeCbor(nestedBytes(65))).toThrow(malformed(64));
    expect(() => decodeCbor(nestedBytes(100_000))).toThrow(malformed(64));
  });

  test('131,072 entries, and not one more', () => {
    const array = Array.from({ length: 131_072 }, () => 0);
    expect(decodeCbor(encodeCbor(array))).toEqual(array);
    array.push(0);
    expect(() => encodeCbor(array)).toThrow(invalidAt('(top)'));
    expect(() => decodeCbor(encodeByDagCbor(array))).toThrow(malformed(0));
    const map = Object.fromEntries(array.map((_, i) => [`k${i}`, 0]));
    expect(() => encodeCbor(map)).toThrow(invalidAt('(top)'));
  });

  test('a value that contains one array many times is rejected before it is encoded', () => {
    let value: unknown = [];
    for (let i = 0; i < 60; i++) {
      value = [value, value];
    }
    expect(() => encodeCbor(value)).toThrow(invalidAt('(top)'));
    const most = Array.from({ length: 2 }, () => Array.from({ length: 131_070 }, () => 0));
    expect(encodeCbor([...most, 1]).length).toBe(262_152);
    expect(() => encodeCbor([...most, 1, 2])).toThrow(invalidAt('(top)'));
  });

  test('keys of 8,192 bytes, and not one more', () => {
    expect(decodeCbor(encodeCbor({ ['k'.repeat(8192)]: 1 }))).toEqual({ ['k'.repeat(8192)]: 1 });
    const long = { [`kk${'水'.repeat(2731)}`]: 1 };
    expect(() => encodeCbor(long)).toThrow(expect.objectContaining({ code: 'InvalidRecord' }));
    expect(() => decodeCbor(encodeByDagCbor(long))).toThrow(malformed(1));
  });
});

describe('who owns the bytes', () => {
  test('decoded values do not keep the input in memory', () => {
    const block = encodeCbor({ bytes: Uint8Array.of(1, 2, 3), cid: raw });
    // A Buffer's own `slice` is a view.
    const value = decodeCbor(Buffer.from(block)) as { bytes: Uint8Array; cid: CID };
    const again = decodeCbor(block) as typeof value;
    block.fill(0);
    expect(again.bytes).toEqual(Uint8Array.of(1, 2, 3));
    expect(again.cid.toString()).toBe(raw.toString());
    expect(value.bytes.constructor).toBe(Uint8Array);
  });

  test('the caller owns encoded bytes', () => {
    const first = encodeCbor('first');
    encodeCbor('other');
    expect(decodeCbor(first)).toBe('first');
    expect(first.buffer.byteLength).toBe(first.length);
  });
});

describe('a record', () => {
  test('is a map with a $type', () => {
    expect(decodeRecord(encodeCbor({ $type: 'com.example.a', x: 1 }))).toEqual({ $type: 'com.example.a', x: 1 });
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['an array', ['$type']],
    ['bytes', Uint8Array.of(1)],
    ['a link', cidOf(CODEC_DAG_CBOR, Uint8Array.of(1))],
    ['a map without one', { a: 1 }],
    ['a map with an empty one', { $type: '' }],
    ['a map with a number', { $type: 1 }],
  ])('is not %s', (_, value) => {
    expect(() => decodeRecord(encodeCbor(value))).toThrow(malformed(0));
  });
});
