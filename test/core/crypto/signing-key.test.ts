import { createPublicKey, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, test } from 'vitest';
import { isRepoError } from '../../../src/core/errors.ts';
import type { Curve } from '../../../src/core/crypto/keys.ts';
import { CURVES, parseDidKey, verifySignature } from '../../../src/core/crypto/keys.ts';
import { generateKey, importKey } from '../../../src/core/crypto/signing-key.ts';
import { seeded } from '../../random/seeded.ts';

const ECDSA = { p256, secp256k1 } as const;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const unknownKey = expect.toSatisfy((error) => isRepoError(error, 'UnknownKey'));

describe('signs by RFC 6979', () => {
  test('P-256, the "sample" of its appendix A.2.5, with the low one of its two s', async () => {
    const key = importKey('C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721', 'p256');
    const published = 0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8n;
    expect(hex(await key.sign(utf8('sample')))).toBe(
      `efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716${(p256.Point.Fn.ORDER - published).toString(16).padStart(64, '0')}`,
    );
  });

  test('secp256k1, the vector of Bitcoin libraries for the key 1', async () => {
    const key = importKey(`${'0'.repeat(63)}1`);
    expect(hex(await key.sign(utf8('Satoshi Nakamoto')))).toBe(
      '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
    );
  });
});

describe.each(CURVES)('%s', (curve) => {
  test('60 messages: signatures verify, and fail for changed messages (seed 11)', async () => {
    const random = seeded(11);
    const order = ECDSA[curve].Point.Fn.ORDER;
    const key = generateKey(curve);
    for (let i = 0; i < 60; i++) {
      const message = Uint8Array.from({ length: Math.floor(random() * 300) + 1 }, () => random() * 256);
      const signature = await key.sign(message);
      const about = `message ${i}, key ${hex(key.export())}`;
      expect(verifySignature(key.did(), message, signature), about).toBe(true);
      expect(hex(await key.sign(message)), about).toBe(hex(signature));

      const flip = (bytes: Uint8Array): Uint8Array => {
        const flipped = bytes.slice();
        flipped[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
        return flipped;
      };
      expect(verifySignature(key.did(), flip(message), signature), about).toBe(false);
      expect(verifySignature(key.did(), message, flip(signature)), about).toBe(false);

      const s = BigInt(`0x${hex(signature.subarray(32))}`);
      expect(s <= order / 2n, about).toBe(true);
      const high = Uint8Array.from([
        ...signature.subarray(0, 32),
        ...Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'),
      ]);
      expect(verifySignature(key.did(), message, high), about).toBe(false);
    }
  });

  test("OpenSSL takes its signatures for its did:key's point", async () => {
    const key = generateKey(curve);
    const { publicKey } = parseDidKey(key.did());
    const point = ECDSA[curve].Point.fromBytes(publicKey).toBytes(false);
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => Buffer.from(half).toString('base64url'));
    const crv = { p256: 'P-256', secp256k1: 'secp256k1' }[curve];
    const jwk = createPublicKey({ key: { kty: 'EC', crv, x: x!, y: y! }, format: 'jwk' });
    const signature = await key.sign(utf8('hello'));
    expect(verify('sha256', utf8('hello'), { key: jwk, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  });

  test('export is all that a key is', async () => {
    const key = generateKey(curve);
    const secret = key.export();
    expect([secret.length, key.curve]).toEqual([32, curve]);
    for (const again of [
      importKey(secret, curve),
      importKey(hex(secret), curve),
      importKey(hex(secret).toUpperCase(), curve),
    ]) {
      expect(again.did()).toBe(key.did());
      expect(hex(await again.sign(utf8('x')))).toBe(hex(await key.sign(utf8('x'))));
    }
    expect(generateKey(curve).did()).not.toBe(key.did());
  });

  test('a private key is 1 to n - 1, in 32 bytes', () => {
    const order = ECDSA[curve].Point.Fn.ORDER;
    const padded = (value: bigint): string => value.toString(16).padStart(64, '0');
    expect(importKey(padded(1n), curve).did()).not.toBe(importKey(padded(order - 1n), curve).did());
    for (const secret of [
      padded(0n),
      padded(order),
      'ff'.repeat(32),
      new Uint8Array(31).fill(1),
      new Uint8Array(33).fill(1),
      new Uint8Array(0),
    ]) {
      expect(() => importKey(secret, curve)).toThrow(unknownKey);
    }
  });
});

test('secp256k1 unless said otherwise', () => {
  expect(generateKey().curve).toBe('secp256k1');
  expect(importKey(new Uint8Array(32).fill(1)).curve).toBe('secp256k1' satisfies Curve);
});

test.each(['', `0x${'1'.repeat(64)}`, '1'.repeat(63), '1'.repeat(65), `${'1'.repeat(63)}g`, ` ${'1'.repeat(63)}`])(
  '%j is not a private key',
  (text) => {
    expect(() => importKey(text)).toThrow(unknownKey);
  },
);

test('a wrong type is a TypeError', () => {
  expect(() => importKey(5 as never)).toThrow(TypeError);
});

test('a key is a copy: changing its source or its results does not change it', () => {
  const secret = new Uint8Array(32).fill(9);
  const key = importKey(secret);
  secret.fill(1);
  key.export().fill(2);
  expect(hex(key.export())).toBe('09'.repeat(32));
});

test('the secret is not shown by printing the key, nor by a message about a wrong one', () => {
  const secret = `7${'a'.repeat(63)}`;
  const key = importKey(secret);
  expect(inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key)).not.toContain('aaaa');
  expect(() => importKey(`${secret}a`)).toThrow(expect.toSatisfy((error) => !inspect(error).includes('aaaa')));
  expect(() => importKey('f'.repeat(64))).toThrow(expect.toSatisfy((error) => !inspect(error).includes('ffff')));
});
