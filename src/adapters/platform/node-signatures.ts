/**
 * Verifies signatures with OpenSSL, in a quarter of the time of JavaScript. Every local commit verifies its signature.
 */
import type { KeyObject } from 'node:crypto';
import { createPublicKey, verify } from 'node:crypto';
import type { Curve, VerifySignature } from '../../core/crypto/keys.ts';
import { SIGNATURE_LENGTH, ecdsaOf, isHighS, parseDidKey, verifySignature } from '../../core/crypto/keys.ts';

/** Names of the curves in JSON Web Keys. https://www.rfc-editor.org/rfc/rfc8812 */
const JWK_CURVES: Readonly<Record<Curve, string>> = { p256: 'P-256', secp256k1: 'secp256k1' };

interface Key {
  readonly curve: Curve;
  /** `undefined` if the runtime does not have the curve. BoringSSL, which Bun uses, has no secp256k1. */
  readonly object: KeyObject | undefined;
}

const openKey = (didKey: string): Key => {
  const { curve, publicKey } = parseDidKey(didKey);
  const [x, y] = [1, 33].map((at) =>
    Buffer.from(
      ecdsaOf(curve)
        .Point.fromBytes(publicKey)
        .toBytes(false)
        .subarray(at, at + 32),
    ).toString('base64url'),
  );
  try {
    return {
      curve,
      object: createPublicKey({ key: { kty: 'EC', crv: JWK_CURVES[curve], x: x!, y: y! }, format: 'jwk' }),
    };
  } catch {
    // The key is a valid point of its curve, so the runtime does not have the curve.
    return { curve, object: undefined };
  }
};

/** Returns a function with the results of `verifySignature`. It caches the last key. */
export const createNodeVerifySignature = (): VerifySignature => {
  let last: { readonly didKey: string; readonly key: Key } | undefined;
  const keyOf = (didKey: string): Key => {
    if (last?.didKey !== didKey) {
      last = { didKey, key: openKey(didKey) };
    }
    return last.key;
  };
  // OpenSSL also accepts a high s.
  const hasForm = (curve: Curve, signature: Uint8Array): boolean =>
    signature.length === SIGNATURE_LENGTH && !isHighS(curve, signature);

  const now = (didKey: string, bytes: Uint8Array, signature: Uint8Array): boolean => {
    const { curve, object } = keyOf(didKey);
    return object === undefined
      ? verifySignature(didKey, bytes, signature)
      : hasForm(curve, signature) && verify('sha256', bytes, { key: object, dsaEncoding: 'ieee-p1363' }, signature);
  };

  /** Verifies in a thread of the platform's pool. */
  const aside = async (didKey: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> => {
    const { curve, object } = keyOf(didKey);
    if (object === undefined || !hasForm(curve, signature)) {
      return now(didKey, bytes, signature);
    }
    return new Promise((resolve, reject) => {
      verify('sha256', bytes, { key: object, dsaEncoding: 'ieee-p1363' }, signature, (error, isRight) =>
        error === null ? resolve(isRight) : reject(error),
      );
    });
  };

  return Object.assign(now, { aside });
};
