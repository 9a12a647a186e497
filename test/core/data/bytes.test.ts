import { describe, expect, test } from 'vitest';
import { compareBytes, concatBytes, copyBytes, equalBytes } from '../../../src/core/data/bytes.ts';

const inOrder = [[], [0], [0, 0], [0, 255], [1], [127], [128], [255], [255, 0]].map((bytes) => Uint8Array.from(bytes));

test('bytes are in the order of memcmp, the shorter first', () => {
  for (const [i, a] of inOrder.entries()) {
    for (const [j, b] of inOrder.entries()) {
      expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(i - j));
      expect(equalBytes(a, b)).toBe(i === j);
      expect(Buffer.compare(a, b)).toBe(Math.sign(i - j));
    }
  }
});

test('parts are put together in their order', () => {
  expect(concatBytes([])).toEqual(new Uint8Array(0));
  expect(concatBytes([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)])).toEqual(Uint8Array.of(1, 2, 3));
});

describe('a copy', () => {
  test('has a buffer of its own, also if the original is a Buffer', () => {
    for (const bytes of [Uint8Array.of(1, 2, 3), Buffer.from([1, 2, 3]).subarray(0, 3)]) {
      const copy = copyBytes(bytes);
      bytes[0] = 9;
      expect(copy).toEqual(Uint8Array.of(1, 2, 3));
      expect(copy.buffer.byteLength).toBe(3);
    }
  });
});
