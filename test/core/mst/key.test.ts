import { describe, expect, test } from 'vitest';
import { MAX_KEY_LENGTH, assertTreeKey, commonPrefixLength, isTreeKey, layerOf } from '../../../src/core/mst/key.ts';
import { vectorText } from '../../vectors.ts';

test('layers are pairs of leading zero bits of the hash', () => {
  const known = { 'app.bsky.feed.post/454397e440ec': 4, 'app.bsky.feed.post/9adeb165882c': 8, asdf: 0, blue: 1 };
  expect(Object.keys(known).map(layerOf)).toEqual(Object.values(known));
});

test('a quarter of the keys is one layer up', () => {
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 4096; i++) {
    const layer = layerOf(`com.example.record/${i}`);
    counts[Math.min(layer, 3)]! += 1;
  }
  for (const [layer, expected] of [3072, 768, 192, 64].entries()) {
    expect(Math.abs(counts[layer]! - expected)).toBeLessThan(expected / 4 + 10);
  }
});

test.each(['a/b', 'A0/374913', 'app.bsky.feed.post/3jzfcijpj2z2a', 'a/self', 'a/~_-.:z', 'a/...', '__proto__/x'])(
  '%s is a key',
  (key) => {
    expect(isTreeKey(key)).toBe(true);
    expect(() => assertTreeKey(key)).not.toThrow();
  },
);

test.each([
  '',
  '/',
  'a',
  'a/',
  '/b',
  'a/b/c',
  'a//b',
  'a/b/',
  '/a/b',
  'a /b',
  'a/b c',
  'a/b\0',
  'a/b\n',
  'a/b%20',
  'a/b\\c',
  'a/b#c',
  'a/b?',
  'a/b@c',
  'a/é',
  'a/ｂ',
  'a/😀',
  './b',
  '../b',
  'a/.',
  'a/..',
])('%j is no key', (key) => {
  expect(isTreeKey(key)).toBe(false);
  expect(() => assertTreeKey(key)).toThrow(expect.objectContaining({ code: 'Malformed' }));
});

test('the longest key, and one more', () => {
  expect(isTreeKey(`a/${'b'.repeat(MAX_KEY_LENGTH - 2)}`)).toBe(true);
  expect(isTreeKey(`a/${'b'.repeat(MAX_KEY_LENGTH - 1)}`)).toBe(false);
});

test('common prefixes', () => {
  expect(commonPrefixLength('abc', 'abd')).toBe(2);
  expect(commonPrefixLength('', 'abd')).toBe(0);
  expect(commonPrefixLength('abc', 'abcd')).toBe(3);
  expect(commonPrefixLength('abc', 'abc')).toBe(3);
});

describe('interop/mst', () => {
  const read = (name: string): string => vectorText(`interop/mst/${name}`);

  test('key_heights.json', () => {
    const cases = JSON.parse(read('key_heights.json')) as { key: string; height: number }[];
    expect(cases.length).toBeGreaterThan(5);
    expect(cases.map(({ key }) => layerOf(key))).toEqual(cases.map(({ height }) => height));
  });

  test('common_prefix.json', () => {
    const ascii = /^[\0-\x7f]*$/;
    const cases = (JSON.parse(read('common_prefix.json')) as { left: string; right: string; len: number }[]).filter(
      ({ left, right }) => ascii.test(left + right),
    );
    expect(cases.length).toBeGreaterThan(10);
    expect(cases.map(({ left, right }) => commonPrefixLength(left, right))).toEqual(cases.map(({ len }) => len));
  });

  test('example_keys.txt', () => {
    // A letter in order, the layer, a slash and digits.
    const keys = read('example_keys.txt').trim().split('\n');
    expect(keys.length).toBe(156);
    expect(keys.every(isTreeKey)).toBe(true);
    expect(keys.map(layerOf)).toEqual(keys.map((key) => Number(key[1])));
    expect([...keys].sort()).toEqual(keys);
  });
});
