/** Keys and signatures of the atproto interop tests. */
import { readFileSync } from 'node:fs';
import { base58btc } from 'multiformats/bases/base58';
import { describe, expect, test } from 'vitest';
import { formatDidKey, parseMultikey, verifySignature } from '../../../src/core/crypto/keys.ts';
import { importKey } from '../../../src/core/crypto/signing-key.ts';
import { fixtures, hasFixtures } from '../../fixtures.ts';

const without = hasFixtures ? '' : ' (skipped: no vectors)';

const load = <T>(name: string): readonly T[] =>
  hasFixtures ? (JSON.parse(readFileSync(fixtures(`interop/crypto/${name}`), 'utf8')) as T[]) : [];

interface SignatureCase {
  readonly comment: string;
  readonly messageBase64: string;
  readonly didDocSuite: string;
  readonly publicKeyDid: string;
  readonly publicKeyMultibase: string;
  readonly signatureBase64: string;
  readonly validSignature: boolean;
}

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

describe.skipIf(!hasFixtures)(`signature-fixtures.json${without}`, () => {
  const cases = load<SignatureCase>('signature-fixtures.json');
  test.each(cases.map((entry) => [entry.comment, entry] as const))('%s', (_, entry) => {
    const { curve, publicKey } = parseMultikey(entry.publicKeyMultibase, entry.didDocSuite);
    expect(formatDidKey(curve, publicKey)).toBe(entry.publicKeyDid);
    const isValid = verifySignature(entry.publicKeyDid, bytesOf(entry.messageBase64), bytesOf(entry.signatureBase64));
    expect(isValid).toBe(entry.validSignature);
  });
});

describe.skipIf(!hasFixtures)(`w3c_didkey${without}`, () => {
  test.each(load<{ privateKeyBytesHex: string; publicDidKey: string }>('w3c_didkey_K256.json'))(
    'secp256k1 $publicDidKey',
    ({ privateKeyBytesHex, publicDidKey }) => {
      expect(importKey(privateKeyBytesHex).did()).toBe(publicDidKey);
    },
  );

  test.each(load<{ privateKeyBytesBase58: string; publicDidKey: string }>('w3c_didkey_P256.json'))(
    'P-256 $publicDidKey',
    ({ privateKeyBytesBase58, publicDidKey }) => {
      expect(importKey(base58btc.decode(`z${privateKeyBytesBase58}`), 'p256').did()).toBe(publicDidKey);
    },
  );
});
