/**
 * Checks signatures with `node:crypto`: OpenSSL in Node, BoringSSL in Bun, Rust in Deno. For secp256k1 it takes a
 * quarter of the time of JavaScript. Every local commit checks its signature.
 */
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { Buffer } from 'node:buffer';
import { createPublicKey, verify } from 'node:crypto';
import type { Curve, PublicKey, VerifySignature } from '../../core/crypto/keys.ts';
import { SIGNATURE_LENGTH, ecdsaOf, isHighS, parseDidKey, verifySignature } from '../../core/crypto/keys.ts';

/** Most keys in the cache. A program that follows many accounts has one for each. */
const MAX_KEYS = 256;

/** Checks a signature of 64 bytes, or returns `undefined` if it cannot check signatures of this key now. */
export type FastVerify = (key: PublicKey, bytes: Uint8Array, signature: Uint8Array) => boolean | undefined;

interface ParsedKey extends PublicKey {
  /** `undefined` if the runtime does not have the curve. BoringSSL, which Bun uses, has no secp256k1. */
  readonly object: KeyObject | undefined;
}

interface Vector {
  readonly key: JsonWebKey;
  readonly message: string;
  readonly signature: string;
}

/**
 * A signature of each curve: one of RFC 6979, appendix A.2.5, with a low s, and one that libraries of Bitcoin test.
 * https://www.rfc-editor.org/rfc/rfc8812 has the names of the curves.
 */
const VECTORS: Readonly<Record<Curve, Vector>> = {
  p256: {
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: 'YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y',
      y: 'eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk',
    },
    message: 'sample',
    signature:
      'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
      '0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9',
  },
  secp256k1: {
    key: {
      kty: 'EC',
      crv: 'secp256k1',
      x: 'eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g',
      y: 'SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg',
    },
    message: 'Satoshi Nakamoto',
    signature:
      '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
      '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
  },
};

const check = (key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean =>
  verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature);

/** Returns whether the runtime has the curve, and accepts a right signature of it and no damaged one. */
const hasCurve = (curve: Curve): boolean => {
  const { key, message, signature } = VECTORS[curve];
  try {
    const object = createPublicKey({ key, format: 'jwk' });
    const right = Buffer.from(signature, 'hex');
    const damaged = Buffer.from(right);
    damaged[0]! ^= 1;
    const bytes = Buffer.from(message);
    return check(object, bytes, right) && !check(object, bytes, damaged);
  } catch {
    // The vector is right, so the runtime does not have the curve.
    return false;
  }
};

/**
 * Returns a function with the results of `verifySignature`. It caches the last keys.
 * @param fast Checks signatures where it is faster than the runtime.
 */
export const createNodeVerifySignature = (fast?: FastVerify): VerifySignature => {
  const curves = new Map<Curve, boolean>();
  const has = (curve: Curve): boolean => {
    const known = curves.get(curve) ?? hasCurve(curve);
    curves.set(curve, known);
    return known;
  };

  const open = (didKey: string): ParsedKey => {
    const { curve, publicKey } = parseDidKey(didKey);
    if (!has(curve)) {
      return { curve, publicKey, object: undefined };
    }
    const point = ecdsaOf(curve).Point.fromBytes(publicKey).toBytes(false);
    const [x, y] = [1, 33].map((at) => Buffer.from(point.subarray(at, at + 32)).toString('base64url'));
    const { kty, crv } = VECTORS[curve].key;
    return { curve, publicKey, object: createPublicKey({ key: { kty, crv, x, y } as JsonWebKey, format: 'jwk' }) };
  };

  const keys = new Map<string, ParsedKey>();
  const keyOf = (didKey: string): ParsedKey => {
    const known = keys.get(didKey);
    if (known !== undefined) {
      return known;
    }
    const opened = open(didKey);
    if (keys.size >= MAX_KEYS) {
      // The oldest one.
      keys.delete(keys.keys().next().value!);
    }
    keys.set(didKey, opened);
    return opened;
  };

  return (didKey, bytes, signature) => {
    const key = keyOf(didKey);
    const { curve, object } = key;
    // OpenSSL also accepts a high s.
    if (signature.length !== SIGNATURE_LENGTH || isHighS(curve, signature)) {
      return false;
    }
    return (
      fast?.(key, bytes, signature) ??
      (object === undefined ? verifySignature(didKey, bytes, signature) : check(object, bytes, signature))
    );
  };
};
