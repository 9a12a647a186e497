/** Values that the walk before the encoder rejects, and values that it must not misinterpret. */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { decodeCbor } from '../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { CID, CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const invalidAt = (path: string): unknown =>
  expect.objectContaining({
    name: 'RepoError',
    code: 'InvalidRecord',
    message: expect.stringMatching(new RegExp(` at ${path.replace(/[()[\]$]/g, '\\$&')}[:;]`)),
  });

const raw = cidOf(CODEC_RAW, Uint8Array.of(1, 2, 3));

describe('encoding rejects', () => {
  class Point {
    readonly x = 1;
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const ring: Record<string, unknown> = {};
  ring['a'] = ring;
  const holed = [1];
  holed[2] = 2;
  test.each<[string, unknown, string]>([
    ['a float', { a: [0, 1.5] }, '/a/1'],
    ['NaN', Number.NaN, '(top)'],
    ['infinity', [-Infinity], '/0'],
    ['2^53', { a: 2 ** 53 }, '/a'],
    ['a bigint of 2^53', [2n ** 53n], '/0'],
    ['a bigint past all doubles', [10n ** 400n], '/0'],
    ['half a surrogate pair', { text: '\ud800' }, '/text'],
    ['half a surrogate pair in a long text', { text: `${'x'.repeat(100)}\udc00` }, '/text'],
    ['half a surrogate pair in a key', { '\ud800': 1 }, '/\ud800'],
    ['undefined', undefined, '(top)'],
    ['undefined in an array', { a: [undefined] }, '/a/0'],
    ['a hole in an array', holed, '/1'],
    ['a function', { f: () => 1 }, '/f'],
    ['a symbol', [Symbol('a')], '/0'],
    ['a Date', { 'a/b~': new Date(0) }, '/a~1b~0'],
    ['a Map', { m: new Map([['a', 1]]) }, '/m'],
    ['other arrays of numbers', [new Uint16Array(1)], '/0'],
    ['an ArrayBuffer', [new ArrayBuffer(1)], '/0'],
    ['an instance of a class', { p: new Point() }, '/p'],
    ['a link of version 0', [CID.parse('QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR')], '/0'],
    ['a link of another codec', { l: CID.createV1(0x70, raw.multihash) }, '/l'],
    ['a cycle', cycle, '/0'.repeat(64)],
    ['a cycle of maps', ring, '/a'.repeat(64)],
    ['a text with a lone surrogate after a pair', ['\u{10000}\udc00'], '/0'],
    ['a bigint below -(2^53 - 1)', [-(2n ** 53n)], '/0'],
    ['a boxed number', [Object(1)], '/0'],
  ])('%s', (_, value, path) => {
    expect(() => encodeCbor(value)).toThrow(invalidAt(path));
    // A rejected value does not affect the next call.
    expect(toHex(encodeCbor({ a: [1] }))).toBe('a161618101');
  });

  test('neither maps of another realm nor links that have lost their class', () => {
    const foreign = runInNewContext('({ a: { b: [1] } })') as object;
    expect(encodeCbor({ cid: structuredClone(raw), foreign })).toEqual(
      encodeCbor({ cid: raw, foreign: { a: { b: [1] } } }),
    );
  });

  const same = Uint8Array.of(1, 2, 3);
  test.each<[string, object]>([
    ['with texts', { '/': 'x', bytes: 'x', code: CODEC_RAW, version: 1 }],
    ['with an empty key', { '/': 'x', bytes: 'x', '': 1, aa: 2 }],
    ['with numbers, inside of others', { a: [{ '/': 5, bytes: 5, b: { '/': true, bytes: true, '': null } }] }],
    ['with null', { '/': null, bytes: null }],
    ['with the same bytes twice', { '/': same, bytes: same }],
    ['with a key that CIDs have', { asCID: 1, code: 2, multihash: 3, version: 4 }],
  ])('no map for looking like a link, %s', (_, lookalike) => {
    expect(decodeCbor(encodeCbor(lookalike))).toEqual(lookalike);
  });

  test('no map for what its symbols say', () => {
    const map = { a: 1, [Symbol.toStringTag]: 'Date', [Symbol.for('@ipld/js-cid/CID')]: true };
    expect(toHex(encodeCbor({ map }))).toBe(toHex(encodeCbor({ map: { a: 1 } })));
  });

  test('no bytes of a subclass, which are written as bytes', () => {
    expect(toHex(encodeCbor({ a: Buffer.from([1, 2]) }))).toBe('a16161420102');
  });

  test('no getter that encodes something itself', () => {
    const value = {
      get a() {
        return encodeCbor({ inner: 'x'.repeat(100) });
      },
      b: 'text',
    };
    expect(encodeCbor(value)).toEqual(encodeCbor({ a: value.a, b: 'text' }));
  });
});

test('a getter is read once, and the value that it returned is the one that was checked', () => {
  let reads = 0;
  const value = {
    get a() {
      reads += 1;
      return reads === 1 ? 1 : 1.5;
    },
  };
  expect(toHex(encodeCbor(value))).toBe('a1616101');
  expect(reads).toBe(1);
});
