import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { expect, test } from 'vitest';
import { readSecp256k1 } from '../../../src/adapters/platform/node-secp256k1.ts';
import { openSecp256k1 } from '../../../src/adapters/platform/secp256k1-wasm.ts';
import { seeded } from '../../random/seeded.ts';
import { mutatedSignatures } from './mutated-signatures.ts';

const { ORDER } = secp256k1.Point.Fn;
const library = (await readSecp256k1(import.meta.url))!;

const numberToBytes = (number: bigint): Uint8Array =>
  new Uint8Array(Buffer.from(number.toString(16).padStart(64, '0'), 'hex'));

/** The results of JavaScript. */
const noble = {
  sign: (digest: Uint8Array, secret: Uint8Array) =>
    secp256k1.sign(digest, secret, { extraEntropy: false, format: 'compact', lowS: true, prehash: false }),
  verify: (digest: Uint8Array, publicKey: Uint8Array, signature: Uint8Array) =>
    signature.length === 64 &&
    secp256k1.verify(signature, digest, publicKey, { format: 'compact', lowS: true, prehash: false }),
};

test('signs 3,000 random messages, each with another key, as JavaScript does (seed 21)', () => {
  const random = seeded(21);
  const draw = (): Uint8Array => Uint8Array.from({ length: 32 }, () => random() * 256);
  for (let i = 0; i < 3_000; i++) {
    const [digest, secret] = [draw(), draw()];
    expect(library.sign(digest, secret), `message ${i}`).toEqual(noble.sign(digest, secret));
  }
});

test('signs with the least and the greatest key, and digests around the order of the curve', () => {
  const secrets = [1n, 2n, ORDER >> 1n, ORDER - 1n].map(numberToBytes);
  const digests = [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, (1n << 256n) - 1n].map(numberToBytes);
  for (const secret of secrets) {
    for (const digest of digests) {
      expect(library.sign(digest, secret)).toEqual(noble.sign(digest, secret));
    }
  }
});

test('accepts and refuses the same signatures as JavaScript, right and damaged (seed 22)', () => {
  const random = seeded(22);
  let accepted = 0;
  let compared = 0;
  for (let i = 0; i < 40; i++) {
    const digest = Uint8Array.from({ length: 32 }, () => random() * 256);
    const secret = Uint8Array.from({ length: 32 }, () => random() * 256);
    const publicKey = secp256k1.getPublicKey(secret, true);
    for (const given of mutatedSignatures('secp256k1', noble.sign(digest, secret), random)) {
      const isRight = noble.verify(digest, publicKey, given);
      expect(library.verify(digest, publicKey, given), Buffer.from(given).toString('hex')).toBe(isRight);
      accepted += isRight ? 1 : 0;
      compared += 1;
    }
  }
  expect(accepted).toBe(40);
  expect(compared).toBeGreaterThan(1_500);
});

test('is not loaded from another WebAssembly file, or from a folder without the package', async () => {
  const sqlite = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm');
  await expect(openSecp256k1(new Uint8Array(await readFile(sqlite)))).rejects.toThrow();
  await expect(openSecp256k1(new Uint8Array(8))).rejects.toThrow();
  expect(await readSecp256k1('file:///no-packages/here.js')).toBeUndefined();
});
