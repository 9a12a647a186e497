import { expect, test } from 'vitest';
import { createNodeVerifySignature } from '../../../src/adapters/platform/node-signatures.ts';
import { CURVES, ecdsaOf, isHighS, verifySignature } from '../../../src/core/crypto/keys.ts';
import { generateKey } from '../../../src/core/crypto/signing-key.ts';
import { seeded } from '../../random/seeded.ts';

const verify = createNodeVerifySignature();

test.each(CURVES)('has the results of JavaScript, with low and high s and any damage (%s, seed 3)', async (curve) => {
  const random = seeded(3);
  const key = generateKey(curve);
  const other = generateKey(curve);
  const { ORDER } = ecdsaOf(curve).Point.Fn;
  for (let i = 0; i < 30; i++) {
    const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 200) }, () => random() * 256);
    const signature = await key.sign(bytes);
    const s = ORDER - BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
    const high = Uint8Array.from([
      ...signature.subarray(0, 32),
      ...Buffer.from(s.toString(16).padStart(64, '0'), 'hex'),
    ]);
    const damaged = signature.slice();
    damaged[Math.floor(random() * 64)]! ^= 1 << Math.floor(random() * 8);
    expect([isHighS(curve, signature), isHighS(curve, high)]).toEqual([false, true]);
    for (const given of [signature, high, damaged, new Uint8Array(64), signature.subarray(0, 63), new Uint8Array(65)]) {
      for (const didKey of [key.did(), other.did()]) {
        expect(verify(didKey, bytes, given)).toBe(verifySignature(didKey, bytes, given));
      }
    }
    expect(verify(key.did(), bytes, signature)).toBe(true);
    expect(verify(key.did(), Uint8Array.from([...bytes, 0]), signature)).toBe(false);
  }
});

test('refuses a key that atproto does not have', () => {
  expect(() => verify('did:key:zNothing', Uint8Array.of(1), new Uint8Array(64))).toThrow(
    expect.objectContaining({ code: 'UnknownKey' }),
  );
});
