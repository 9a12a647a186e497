import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DIGEST_LENGTH, hashAll, sha256 } from '../../../src/core/data/sha256.ts';
import { nodeHashAll } from '../../../src/adapters/platform/node-hash.ts';
import { createHashAll } from '../../../src/wasm/hash/sha256.ts';
import { SHA256_WASM } from '../../../src/wasm/hash/sha256-wasm.ts';
import { seeded } from '../../random/seeded.ts';

const messageOf = (length: number, random: () => number): Uint8Array =>
  Uint8Array.from({ length }, () => random() * 256);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const digestsOf = (packed: Uint8Array): string[] =>
  Array.from({ length: packed.length / DIGEST_LENGTH }, (_, i) =>
    hex(packed.subarray(i * DIGEST_LENGTH, (i + 1) * DIGEST_LENGTH)),
  );

/** Throws, because the function under test must not call it. */
const noFallback = (): never => {
  throw new Error('the fallback was called');
};

describe('createHashAll', () => {
  const lanes = createHashAll(noFallback);

  test('returns nothing for no messages', () => {
    expect(lanes([])).toEqual(new Uint8Array());
  });

  test('hashes the vectors of FIPS 180-4', () => {
    const messages = ['', 'abc', 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'].map((text) =>
      new TextEncoder().encode(text),
    );
    expect(digestsOf(lanes(messages))).toEqual([
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ]);
  });

  test('hashes every length from 0 to 300, one by one and together', () => {
    const random = seeded(1);
    const messages = Array.from({ length: 301 }, (_, length) => messageOf(length, random));
    const expected = messages.map((message) => hex(sha256(message)));
    expect(digestsOf(lanes(messages))).toEqual(expected);
    expect(messages.map((message) => hex(lanes([message])))).toEqual(expected);
    expect(digestsOf(lanes(messages.toReversed()))).toEqual(expected.toReversed());
  });

  test.each([1, 2, 3, 4, 5, 6])('hashes random batches (seed %i)', (seed) => {
    const random = seeded(seed);
    for (let round = 0; round < 20; round++) {
      const messages = Array.from({ length: Math.floor(random() * 40) }, () =>
        messageOf(Math.floor(random() ** 4 * 20_000), random),
      );
      expect(digestsOf(lanes(messages))).toEqual(digestsOf(hashAll(messages)));
    }
  });

  test('hashes texts between bytes, as their ASCII bytes', () => {
    const texts = ['', 'app.bsky.feed.like/3jzfcijpj2z2a', 'x'.repeat(1024)];
    const expected = texts.map((text) => hex(sha256(new TextEncoder().encode(text))));
    for (const hash of [lanes, hashAll, nodeHashAll]) {
      expect(digestsOf(hash(texts))).toEqual(expected);
      expect(digestsOf(hash([...texts, Uint8Array.of(97)]))).toEqual([...expected, hex(sha256(Uint8Array.of(97)))]);
    }
  });

  test('hashes more messages, and more bytes, than fit into one batch', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => Uint8Array.of(i, i >> 8));
    expect(digestsOf(lanes(many))).toEqual(many.map((message) => hex(sha256(message))));
    const large = Array.from({ length: 30 }, (_, i) => new Uint8Array(100_000).fill(i));
    expect(digestsOf(lanes(large))).toEqual(large.map((message) => hex(sha256(message))));
  });

  test('hashes blocks of any size and longer messages without a fallback', () => {
    const random = seeded(2);
    const messages = [2_097_153, 5, 2_097_152, 1_048_577, 1_048_576, 700_000, 700_000, 0].map((length) =>
      messageOf(length, random),
    );
    const expected = digestsOf(nodeHashAll(messages));
    expect(digestsOf(createHashAll()(messages))).toEqual(expected);
    expect(messages.map((message) => hex(createHashAll()([message])))).toEqual(expected);
  });

  test('passes each long message to the fallback, in order', () => {
    const lengths: number[] = [];
    const hash = createHashAll((messages) => {
      lengths.push(...messages.map(({ length }) => length));
      return hashAll(messages);
    });
    const messages = [10, 2_000_000, 20, 131_072, 131_073].map((length) => new Uint8Array(length).fill(7));
    expect(digestsOf(hash(messages))).toEqual(messages.map((message) => hex(sha256(message))));
    expect(lengths).toEqual([2_000_000, 131_073]);
  });

  test('returns bytes that later calls do not change', () => {
    const first = lanes([Uint8Array.of(1)]);
    const before = hex(first);
    lanes([Uint8Array.of(2)]);
    expect(hex(first)).toBe(before);
  });

  test('reads views of a larger buffer, and shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(64)).subarray(7, 40).fill(3);
    expect(hex(lanes([shared]))).toBe(hex(sha256(Uint8Array.from(shared))));
  });
});

describe('without SIMD', () => {
  afterEach(() => vi.restoreAllMocks());

  test('hashes', () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(hex(createHashAll()([Uint8Array.of(1, 2)]))).toBe(hex(sha256(Uint8Array.of(1, 2))));
  });

  test('hashes if WebAssembly is forbidden', () => {
    vi.spyOn(WebAssembly, 'Module').mockImplementation(function refuse() {
      throw new WebAssembly.CompileError('forbidden');
    });
    expect(hex(createHashAll()([Uint8Array.of(1, 2)]))).toBe(hex(sha256(Uint8Array.of(1, 2))));
  });
});

describe('the module in the tree', () => {
  test('equals the compiled source', async () => {
    const build: string = '../../../build-wasm.mjs';
    const { compileSha256 } = (await import(build)) as { compileSha256: () => Promise<string> };
    const kept = readFileSync(new URL('../../../src/wasm/hash/sha256-wasm.ts', import.meta.url), 'utf8');
    expect(kept).toBe(await compileSha256());
  });

  test('is small, imports nothing, and is valid', () => {
    const code = Buffer.from(SHA256_WASM, 'base64');
    expect(code.length).toBeLessThan(3072);
    expect(WebAssembly.Module.imports(new WebAssembly.Module(code))).toEqual([]);
  });
});
