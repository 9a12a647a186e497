import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { base58btc } from 'multiformats/bases/base58';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../../src/core/data/bytes.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import type { Curve } from '../../../src/core/crypto/keys.ts';
import { CURVES, formatDidKey, parseDidKey, parseMultikey, verifySignature } from '../../../src/core/crypto/keys.ts';
import { sha256 } from '../../../src/core/data/sha256.ts';
import { importKey } from '../../../src/core/crypto/signing-key.ts';

const ECDSA = { p256, secp256k1 } as const;
const OLD_TYPES: Readonly<Record<Curve, string>> = {
  p256: 'EcdsaSecp256r1VerificationKey2019',
  secp256k1: 'EcdsaSecp256k1VerificationKey2019',
};
const unknownKey = expect.toSatisfy((error) => isRepoError(error, 'UnknownKey'));
const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const text = (...parts: readonly Uint8Array[]): string => base58btc.encode(concatBytes(parts));

/** One private key for both curves. */
const secret = new Uint8Array(32).fill(7);
const message = new TextEncoder().encode('a message');

const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const toBytes = (value: bigint): Uint8Array => hex(value.toString(16).padStart(64, '0'));

test('the keys of the generator points', () => {
  // Any list of the base points has these: SEC 2, and FIPS 186.
  const points: Readonly<Record<Curve, string>> = {
    p256: '036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296',
    secp256k1: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  };
  for (const curve of CURVES) {
    const didKey = formatDidKey(curve, hex(points[curve]));
    expect(didKey.slice(0, 12)).toBe(curve === 'p256' ? 'did:key:zDna' : 'did:key:zQ3s');
    expect(parseDidKey(didKey)).toEqual({ curve, publicKey: hex(points[curve]) });
  }
});

describe.each(CURVES)('%s', (curve) => {
  const ecdsa = ECDSA[curve];
  const compressed = ecdsa.getPublicKey(secret, true);
  const uncompressed = ecdsa.getPublicKey(secret, false);
  const didKey = formatDidKey(curve, compressed);
  const multibase = didKey.slice('did:key:'.length);
  const prefix = curve === 'p256' ? hex('8024') : hex('e701');

  test('one key has one did:key, however its point is given', () => {
    expect(formatDidKey(curve, uncompressed)).toBe(didKey);
    expect(multibase).toBe(text(prefix, compressed));
    expect(parseDidKey(didKey)).toEqual({ curve, publicKey: compressed });
  });

  test('verification methods of DID documents, new and old', () => {
    const expected = { curve, publicKey: compressed };
    expect(parseMultikey(multibase)).toEqual(expected);
    expect(parseMultikey(multibase, 'Multikey')).toEqual(expected);
    expect(parseMultikey(text(uncompressed), OLD_TYPES[curve])).toEqual(expected);
    expect(parseMultikey(text(compressed), OLD_TYPES[curve])).toEqual(expected);
  });

  test.each([
    ['no did:key', 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'],
    ['in upper case', didKey.toUpperCase()],
    ['nothing', ''],
    ['no multibase', 'did:key:'],
    ['another base', `did:key:f${Buffer.from(concatBytes([prefix, compressed])).toString('hex')}`],
    ['no base58', `${didKey.slice(0, -1)}0`],
    ['a space after it', `${didKey} `],
    ['not compressed', `did:key:${text(prefix, uncompressed)}`],
    ['one byte short', `did:key:${text(prefix, compressed.subarray(0, 32))}`],
    ['one byte long', `did:key:${text(prefix, compressed, hex('00'))}`],
    ['without a prefix', `did:key:${text(compressed)}`],
    ['a prefix without a key', `did:key:${text(prefix)}`],
    ['off the curve', `did:key:${text(prefix, hex('02'), new Uint8Array(32).fill(0xff))}`],
    ['of an unknown form of point', `did:key:${text(prefix, hex('05'), compressed.subarray(1))}`],
    ['Ed25519', `did:key:${text(hex('ed01'), compressed.subarray(1))}`],
    ['P-384', `did:key:${text(hex('8124'), compressed)}`],
    ['so long that reading it would take minutes', `did:key:z${'2'.repeat(300_000)}`],
  ])('a key that is %s is unknown', (_, key) => {
    expect(() => parseDidKey(key)).toThrow(unknownKey);
    expect(() => verifySignature(key, message, new Uint8Array(64))).toThrow(unknownKey);
  });

  test('invalid points are rejected', () => {
    for (const point of [
      new Uint8Array(0),
      hex('00'),
      new Uint8Array(33),
      new Uint8Array(65),
      compressed.subarray(1),
      new Uint8Array(64),
    ]) {
      expect(() => formatDidKey(curve, point)).toThrow(unknownKey);
      expect(() => parseMultikey(text(point), OLD_TYPES[curve])).toThrow(unknownKey);
    }
    // Prefix 06 or 07 is a third, hybrid form of an uncompressed point.
    expect(() => formatDidKey(curve, concatBytes([hex('06'), uncompressed.subarray(1)]))).toThrow(unknownKey);
  });

  test('a type of another kind of key is unknown', () => {
    expect(() => parseMultikey(multibase, 'Ed25519VerificationKey2020')).toThrow(unknownKey);
    expect(() => parseMultikey(text(uncompressed))).toThrow(unknownKey);
  });

  describe('signatures', () => {
    const order = ecdsa.Point.Fn.ORDER;
    const signature = ecdsa.sign(message, secret, { lowS: true });
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];

    test('the right one is', () => {
      expect(verifySignature(didKey, message, signature)).toBe(true);
    });

    test.each<[string, Uint8Array]>([
      ['none', new Uint8Array(0)],
      ['zeros', new Uint8Array(64)],
      ['r of 0', concatBytes([new Uint8Array(32), s])],
      ['s of 0', concatBytes([r, new Uint8Array(32)])],
      ['r of n', concatBytes([toBytes(order), s])],
      ['s of n', concatBytes([r, toBytes(order)])],
      ['a high s', concatBytes([r, toBytes(order - toBigInt(s))])],
      ['s and r', concatBytes([s, r])],
      ['63 bytes', signature.subarray(0, 63)],
      ['65 bytes', concatBytes([signature, hex('00')])],
      ['a recovery byte', ecdsa.sign(message, secret, { format: 'recovered' })],
      ['DER', ecdsa.sign(message, secret, { format: 'der' })],
      ['of the hash of the hash', ecdsa.sign(sha256(message), secret)],
      ['of the bytes as if they were the hash', ecdsa.sign(message, secret, { prehash: false })],
      ['of another key', ecdsa.sign(message, new Uint8Array(32).fill(8))],
    ])('%s is not', (_, wrong) => {
      expect(verifySignature(didKey, message, wrong)).toBe(false);
    });

    test('not of other bytes, nor under the other curve', () => {
      expect(verifySignature(didKey, message.subarray(1), signature)).toBe(false);
      const other = importKey(secret, curve === 'p256' ? 'secp256k1' : 'p256');
      expect(verifySignature(other.did(), message, signature)).toBe(false);
    });
  });
});

test('arguments of the wrong type are a TypeError', () => {
  expect(() => parseDidKey(undefined as never)).toThrow(TypeError);
  expect(() => parseMultikey(5 as never)).toThrow(TypeError);
});

test('an unsupported curve is rejected', () => {
  expect(() => formatDidKey('ed25519' as never, new Uint8Array(33))).toThrow(unknownKey);
  expect(() => importKey(secret, 'constructor' as never)).toThrow(unknownKey);
});
