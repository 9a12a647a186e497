/**
 * Signatures checked by OpenSSL: in a quarter of the time of JavaScript, for which every commit of one's own would
 * wait.
 */
import type { KeyObject } from 'node:crypto';
import { createPublicKey, verify } from 'node:crypto';
import type { Curve, VerifySignature } from '../../core/crypto/keys.ts';
import { SIGNATURE_LENGTH, ecdsaOf, isHighS, parseDidKey, verifySignature } from '../../core/crypto/keys.ts';

/** Names of the curves in JSON Web Keys. https://www.rfc-editor.org/rfc/rfc8812 */
const JWK_CURVES: Readonly<Record<Curve, string>> = { p256: 'P-256', secp256k1: 'secp256k1' };

interface Key {
  readonly curve: Curve;
  /** `undefined` where the runtime does not know the curve: Bun is built on BoringSSL, which has no secp256k1. */
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
    // The key is a point of its curve, so it is the curve that is not known here.
    return { curve, object: undefined };
  }
};

/** The same answers as `verifySignature`. Remembers the key that it was asked for last. */
export const createNodeVerifySignature = (): VerifySignature => {
  let last: { readonly didKey: string; readonly key: Key } | undefined;
  const keyOf = (didKey: string): Key => {
    if (last?.didKey !== didKey) {
      last = { didKey, key: openKey(didKey) };
    }
    return last.key;
  };
  // OpenSSL takes the high s as well.
  const hasForm = (curve: Curve, signature: Uint8Array): boolean =>
    signature.length === SIGNATURE_LENGTH && !isHighS(curve, signature);

  const now = (didKey: string, bytes: Uint8Array, signature: Uint8Array): boolean => {
    const { curve, object } = keyOf(didKey);
    return object === undefined
      ? verifySignature(didKey, bytes, signature)
      : hasForm(curve, signature) && verify('sha256', bytes, { key: object, dsaEncoding: 'ieee-p1363' }, signature);
  };

  /** In a thread of the platform's pool. */
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
