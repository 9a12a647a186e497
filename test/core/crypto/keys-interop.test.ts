/** Keys and signatures of the atproto interop tests. */
import { base58btc } from 'multiformats/bases/base58';
import { describe, expect, test } from 'vitest';
import { formatDidKey, parseMultikey, verifySignature } from '../../../src/core/crypto/keys.ts';
import { importKey } from '../../../src/core/crypto/signing-key.ts';
import { vectorJson } from '../../vectors.ts';

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

describe('signature-fixtures.json', () => {
  const cases = vectorJson<SignatureCase[]>('interop/crypto/signature-fixtures.json');
  test.each(cases.map((entry) => [entry.comment, entry] as const))('%s', (_, entry) => {
    const { curve, publicKey } = parseMultikey(entry.publicKeyMultibase, entry.didDocSuite);
    expect(formatDidKey(curve, publicKey)).toBe(entry.publicKeyDid);
    const isValid = verifySignature(entry.publicKeyDid, bytesOf(entry.messageBase64), bytesOf(entry.signatureBase64));
    expect(isValid).toBe(entry.validSignature);
  });
});

describe('w3c_didkey', () => {
  test.each(vectorJson<{ privateKeyBytesHex: string; publicDidKey: string }[]>('interop/crypto/w3c_didkey_K256.json'))(
    'secp256k1 $publicDidKey',
    ({ privateKeyBytesHex, publicDidKey }) => {
      expect(importKey(privateKeyBytesHex).did()).toBe(publicDidKey);
    },
  );

  test.each(
    vectorJson<{ privateKeyBytesBase58: string; publicDidKey: string }[]>('interop/crypto/w3c_didkey_P256.json'),
  )('P-256 $publicDidKey', ({ privateKeyBytesBase58, publicDidKey }) => {
    expect(importKey(base58btc.decode(`z${privateKeyBytesBase58}`), 'p256').did()).toBe(publicDidKey);
  });
});
