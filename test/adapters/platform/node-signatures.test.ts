import { describe, expect, test, vi } from 'vitest';
import { nodeFastVerify, loadSecp256k1 } from '../../../src/adapters/platform/node-secp256k1.ts';
import { createNodeVerifySignature } from '../../../src/adapters/platform/node-signatures.ts';
import type { FastVerify } from '../../../src/adapters/platform/node-signatures.ts';
import { CURVES, isHighS, verifySignature } from '../../../src/core/crypto/keys.ts';
import { generateKey } from '../../../src/core/crypto/signing-key.ts';
import { seeded } from '../../random/seeded.ts';
import { vectorJson } from '../../vectors.ts';
import { mutatedSignatures } from './mutated-signatures.ts';

const MESSAGE = Uint8Array.of(1, 2, 3);

await loadSecp256k1();
const fastVerify = vi.fn<FastVerify>(nodeFastVerify);
const functions = [
  ['node:crypto', createNodeVerifySignature()],
  ['libsecp256k1', createNodeVerifySignature(fastVerify)],
] as const;

const unknownKey = expect.objectContaining({ code: 'UnknownKey' });

describe.each(functions)('%s', (name, verify) => {
  test.each(CURVES)(
    'has the results of JavaScript, for right, high and damaged signatures (%s, seed 3)',
    async (curve) => {
      const random = seeded(3);
      const key = generateKey(curve);
      const other = generateKey(curve);
      for (let i = 0; i < 12; i++) {
        const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 200) }, () => random() * 256);
        const signature = await key.sign(bytes);
        for (const given of mutatedSignatures(curve, signature, random)) {
          const about = `${name} ${key.did()} ${Buffer.from(given).toString('hex')}`;
          expect(verify(key.did(), bytes, given), about).toBe(verifySignature(key.did(), bytes, given));
        }
        const [, , high] = mutatedSignatures(curve, signature, random);
        expect([isHighS(curve, signature), isHighS(curve, high!)]).toEqual([false, true]);
        expect(verify(key.did(), bytes, signature)).toBe(true);
        expect(verify(other.did(), bytes, signature)).toBe(false);
        expect(verify(key.did(), Uint8Array.from([...bytes, 0]), signature)).toBe(false);
      }
    },
  );

  test('has the results of the vectors of atproto', () => {
    const cases = vectorJson<
      { publicKeyDid: string; messageBase64: string; signatureBase64: string; validSignature: boolean }[]
    >('interop/crypto/signature-fixtures.json');
    expect(cases.length).toBeGreaterThan(4);
    for (const { publicKeyDid, messageBase64, signatureBase64, validSignature } of cases) {
      const [bytes, signature] = [messageBase64, signatureBase64].map((text) => Buffer.from(text, 'base64'));
      expect(verify(publicKeyDid, bytes!, signature!)).toBe(validSignature);
    }
  });

  test.each(CURVES)('refuses keys that are not points of %s, whatever the signature', async (curve) => {
    const key = generateKey(curve);
    const signature = await key.sign(MESSAGE);
    const wrong = ['did:key:zNothing', key.did().slice(0, -1), `${key.did()}1`, 'did:web:alice.example.com', ''];
    for (const didKey of wrong) {
      for (const given of [signature, new Uint8Array(64), new Uint8Array(0)]) {
        expect(() => verifySignature(didKey, MESSAGE, given), didKey).toThrow(unknownKey);
        expect(() => verify(didKey, MESSAGE, given), didKey).toThrow(unknownKey);
      }
    }
  });

  test('checks signatures of more keys than it caches', async () => {
    const keys = Array.from({ length: 300 }, () => generateKey());
    const signatures = await Promise.all(keys.map((key) => key.sign(MESSAGE)));
    for (const round of [0, 1]) {
      keys.forEach((key, i) => expect(verify(key.did(), MESSAGE, signatures[(i + round) % 300]!)).toBe(round === 0));
    }
  });
});

test('libsecp256k1 has checked the signatures of secp256k1, and nothing of P-256', () => {
  const results = fastVerify.mock.calls.map(([{ curve }], i) => [curve, typeof fastVerify.mock.results[i]!.value]);
  expect(new Set(results.map((pair) => pair.join(' ')))).toEqual(new Set(['secp256k1 boolean', 'p256 undefined']));
});
