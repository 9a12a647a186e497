import { describe, expect, test } from 'vitest';
import { isRepoError } from '../../../src/core/errors.ts';
import { decodeVarint, encodeVarint } from '../../../src/core/data/varint.ts';
import { seeded } from '../../random/seeded.ts';

const max = Number.MAX_SAFE_INTEGER;

test.each([
  [0, [0x00]],
  [1, [0x01]],
  [0x7f, [0x7f]],
  [0x80, [0x80, 0x01]],
  [300, [0xac, 0x02]],
  [16_384, [0x80, 0x80, 0x01]],
  // Where arithmetic of 32 bits would wrap.
  [2 ** 31, [0x80, 0x80, 0x80, 0x80, 0x08]],
  [2 ** 32 + 5, [0x85, 0x80, 0x80, 0x80, 0x10]],
  [max, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
])('%d is written in one way and read back', (value, bytes) => {
  expect([...encodeVarint(value)]).toEqual(bytes);
  expect(decodeVarint(Uint8Array.from(bytes))).toBe(value);
});

describe('refuses', () => {
  test.each([
    ['no byte', []],
    ['a cut one', [0x80]],
    ['a byte after it', [0x01, 0x01]],
    ['zero in two bytes', [0x80, 0x00]],
    ['127 in two bytes', [0xff, 0x00]],
    ['one in eight bytes', [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
    ['2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['2^56 - 1', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['2^63', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ['one without an end', Array.from({ length: 8 }, () => 0xff)],
  ])('%s', (_, bytes) => {
    expect(() => decodeVarint(Uint8Array.from(bytes))).toThrow(
      expect.toSatisfy((error) => isRepoError(error, 'Malformed')),
    );
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('to write %d', (value) => {
    expect(() => encodeVarint(value)).toThrow(TypeError);
  });
});

test('any value is decoded from its encoding (seed 1)', () => {
  const random = seeded(1);
  for (let i = 0; i < 2000; i++) {
    // As many of each length.
    const value = Math.floor(random() * 2 ** Math.ceil(random() * 53));
    expect(decodeVarint(encodeVarint(value))).toBe(value);
  }
});
