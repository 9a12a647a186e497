import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nativeHashStream } from '../../../src/adapters/platform/native-hash-stream.ts';
import type { Sha256Stream } from '../../../src/core/data/sha256.ts';
import { sha256Stream as inJavaScript } from '../../../src/core/data/sha256.ts';
import { sha256Stream } from '../../../src/wasm/hash/sha256-stream.ts';
import { seeded } from '../../random/seeded.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const expected = (message: Uint8Array): string => createHash('sha256').update(message).digest('hex');

const messageOf = (length: number, random: () => number): Uint8Array =>
  Uint8Array.from({ length }, () => random() * 256);

/** Hashes a message in parts of the lengths that `next` returns. */
const inParts = (hash: Sha256Stream, message: Uint8Array, next: () => number): string => {
  for (let at = 0; at < message.length; ) {
    const end = Math.min(message.length, at + next());
    hash.update(message.subarray(at, end));
    at = end;
  }
  return hex(hash.digest());
};

describe.each([
  ['WebAssembly', sha256Stream],
  ['JavaScript', inJavaScript],
  ['the platform', nativeHashStream],
])('a hash in parts, by %s', (_, create) => {
  test('hashes every length from 0 to 300, whole and byte by byte', () => {
    const random = seeded(1);
    for (let length = 0; length <= 300; length++) {
      const message = messageOf(length, random);
      expect(inParts(create(), message, () => 1)).toBe(expected(message));
      expect(inParts(create(), message, () => length)).toBe(expected(message));
    }
  });

  test.each([1, 2, 3, 4])('does not depend on the parts (seed %i)', (seed) => {
    const random = seeded(seed);
    for (let round = 0; round < 10; round++) {
      const message = messageOf(Math.floor(random() ** 3 * 140_000), random);
      const longest = 1 + Math.floor(random() ** 4 * 200_000);
      expect(inParts(create(), message, () => Math.floor(random() * (longest + 1)))).toBe(expected(message));
    }
  });

  test.each([55, 56, 63, 64, 65, 127, 128, 65_535, 65_536, 65_537, 131_072])(
    'splits %i bytes at the borders of chunks and calls',
    (length) => {
      const message = messageOf(length, seeded(length));
      for (const part of [1, 55, 56, 63, 64, 65, 65_535, 65_536, 65_537]) {
        if (length / part < 2000) {
          expect(inParts(create(), message, () => part)).toBe(expected(message));
        }
      }
    },
  );

  test('keeps hashes apart that run at the same time', () => {
    const random = seeded(9);
    const messages = Array.from({ length: 5 }, () => messageOf(1000, random));
    const hashes = messages.map(() => create());
    for (let at = 0; at < 1000; at += 50) {
      hashes.forEach((hash, i) => hash.update(messages[i]!.subarray(at, at + 50)));
    }
    expect(hashes.map((hash) => hex(hash.digest()))).toEqual(messages.map(expected));
  });

  test('reads shared memory, and keeps no part', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(64)).subarray(7, 40).fill(3);
    const hash = create();
    hash.update(shared);
    shared.fill(4);
    hash.update(shared);
    expect(hex(hash.digest())).toBe(expected(Uint8Array.from({ length: 66 }, (__, i) => (i < 33 ? 3 : 4))));
  });

  test('refuses to continue after its end', () => {
    const hash = create();
    hash.digest();
    expect(() => hash.update(Uint8Array.of(1))).toThrow();
    expect(() => hash.digest()).toThrow();
  });
});

describe('without WebAssembly', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetModules();
  });

  test.each(['without SIMD', 'if it is forbidden'])('hashes in JavaScript %s', async (why) => {
    if (why === 'without SIMD') {
      vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    } else {
      vi.spyOn(WebAssembly, 'Module').mockImplementation(function refuse() {
        throw new WebAssembly.CompileError('forbidden');
      });
    }
    vi.resetModules();
    const fresh = await import('../../../src/wasm/hash/sha256-stream.ts');
    const message = messageOf(1000, seeded(3));
    expect(inParts(fresh.sha256Stream(), message, () => 77)).toBe(expected(message));
  });
});
