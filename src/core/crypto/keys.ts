/** Public keys in the forms of atproto, and verification of signatures. https://atproto.com/specs/cryptography */
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base58btc } from 'multiformats/bases/base58';
import type { Bytes } from '../data/bytes.ts';
import { concatBytes } from '../data/bytes.ts';
import { RepoError } from '../errors.ts';

/** The curves of atproto. */
export const CURVES = ['p256', 'secp256k1'] as const;
export type Curve = (typeof CURVES)[number];

export interface PublicKey {
  readonly curve: Curve;
  /** The compressed point, 33 bytes. */
  readonly publicKey: Bytes;
}

/** r and s, 32 bytes each. */
export const SIGNATURE_LENGTH = 64;

const DID_KEY = 'did:key:';
const COMPRESSED_LENGTH = 33;
const UNCOMPRESSED_LENGTH = 65;

/** An uncompressed point has 89 characters. Decoding base58 takes quadratic time. */
const MAX_MULTIBASE_LENGTH = 128;

interface CurveFacts {
  readonly ecdsa: ECDSA;
  /** The multicodec of a public key as a varint: 0x1200 and 0xe7. */
  readonly prefix: readonly [number, number];
}

const FACTS: Readonly<Record<Curve, CurveFacts>> = {
  p256: { ecdsa: p256, prefix: [0x80, 0x24] },
  secp256k1: { ecdsa: secp256k1, prefix: [0xe7, 0x01] },
};

/** Types of keys in old DID documents, before `Multikey`. The type gives the curve, and the point has no prefix. */
const OLD_TYPES: ReadonlyMap<string, Curve> = /* @__PURE__ */ new Map<string, Curve>([
  ['EcdsaSecp256k1VerificationKey2019', 'secp256k1'],
  ['EcdsaSecp256r1VerificationKey2019', 'p256'],
]);

const unknownKey = (message: string, cause?: unknown): RepoError =>
  new RepoError('UnknownKey', message, cause === undefined ? undefined : { cause });

/**
 * Returns the arithmetic of a curve.
 * @throws {RepoError} `UnknownKey` when the curve is not in {@link CURVES}.
 */
export const ecdsaOf = (curve: Curve): ECDSA => {
  if (!CURVES.includes(curve)) {
    throw unknownKey(`the curve is not supported: use ${CURVES.join(' or ')}; curve=${String(curve)}`);
  }
  return FACTS[curve].ecdsa;
};

/** Returns a point in compressed form, after a check that it is on the curve. */
const compress = (curve: Curve, point: Uint8Array): Bytes => {
  const ecdsa = ecdsaOf(curve);
  if (point.length !== COMPRESSED_LENGTH && point.length !== UNCOMPRESSED_LENGTH) {
    throw unknownKey(`the public key has the wrong length: pass 33 (compressed) or 65 bytes; length=${point.length}`);
  }
  try {
    return ecdsa.Point.fromBytes(point).toBytes(true) as Bytes;
  } catch (cause) {
    throw unknownKey(
      `the public key is not a point of the curve: check the key; curve=${curve} key=${bytesToHex(point)}`,
      cause,
    );
  }
};

const decodeMultibase = (text: string): Uint8Array => {
  if (typeof text !== 'string') {
    throw new TypeError(`expected a key as a string; type=${typeof text}`);
  }
  if (!text.startsWith('z') || text.length > MAX_MULTIBASE_LENGTH) {
    throw unknownKey(
      `the key is not multibase: it must start with z and have at most ${MAX_MULTIBASE_LENGTH} characters; text=${text.slice(0, 80)}`,
    );
  }
  try {
    return base58btc.decode(text);
  } catch (cause) {
    throw unknownKey(`the key is not base58: check it for typing errors; text=${text.slice(0, 80)}`, cause);
  }
};

const parsePrefixed = (multibase: string): PublicKey => {
  const bytes = decodeMultibase(multibase);
  const curve = CURVES.find((name) => FACTS[name].prefix.every((byte, i) => byte === bytes[i]));
  if (curve === undefined) {
    throw unknownKey(`the curve of the key is not supported: use P-256 or secp256k1; key=${multibase.slice(0, 80)}`);
  }
  const point = bytes.subarray(FACTS[curve].prefix.length);
  if (point.length !== COMPRESSED_LENGTH) {
    throw unknownKey(`the public key is not compressed: pass the 33-byte form; length=${point.length}`);
  }
  return { curve, publicKey: compress(curve, point) };
};

/**
 * Returns the `did:key` of a public key of 33 bytes (compressed) or 65 bytes.
 * @throws {RepoError} `UnknownKey` when the key is not a point of the curve.
 */
export const formatDidKey = (curve: Curve, publicKey: Uint8Array): string => {
  const point = compress(curve, publicKey);
  return DID_KEY + base58btc.encode(concatBytes([Uint8Array.from(FACTS[curve].prefix), point]));
};

/**
 * Parses a `did:key`.
 * @throws {RepoError} `UnknownKey` unless it is a compressed point of one of {@link CURVES}.
 */
export const parseDidKey = (text: string): PublicKey => {
  if (typeof text !== 'string') {
    throw new TypeError(`expected a did:key as a string; type=${typeof text}`);
  }
  if (!text.startsWith(DID_KEY)) {
    throw unknownKey(`the text does not start with did:key: pass a did:key; text=${text.slice(0, 80)}`);
  }
  return parsePrefixed(text.slice(DID_KEY.length));
};

/**
 * Parses the public key of a verification method, from its `publicKeyMultibase` and `type`. Old types give the curve
 * and may have an uncompressed point. Pass the result to `formatDidKey` for a `did:key`.
 * @throws {RepoError} `UnknownKey` when the type is not supported, or the text is not a valid key.
 */
export const parseMultikey = (multibase: string, type = 'Multikey'): PublicKey => {
  if (type === 'Multikey') {
    return parsePrefixed(multibase);
  }
  const curve = OLD_TYPES.get(type);
  if (curve === undefined) {
    throw unknownKey(`the type of the key is not supported: use Multikey; type=${type.slice(0, 80)}`);
  }
  return { curve, publicKey: compress(curve, decodeMultibase(multibase)) };
};

/**
 * Returns whether the signature over the SHA-256 of `bytes` is of this `did:key`. A caller may pass a faster function
 * to a repository. It must return the same as {@link verifySignature}.
 * @throws {RepoError} `UnknownKey` when `didKey` is not a supported key.
 */
export type VerifySignature = (didKey: string, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** Returns whether the s of a signature of 64 bytes is in the upper half of its range. */
export const isHighS = (curve: Curve, signature: Uint8Array): boolean => {
  const { Point } = ecdsaOf(curve);
  const s = BigInt(`0x${bytesToHex(signature.subarray(SIGNATURE_LENGTH / 2))}`);
  return s > Point.Fn.ORDER >> 1n;
};

/**
 * Returns whether the signature over the SHA-256 of `bytes` is of this key. Accepts only the form of atproto: r and s
 * in 64 bytes, with a low s. Returns `false` for DER, a recovery byte and a high s.
 * @throws {RepoError} `UnknownKey` when {@link parseDidKey} does not accept `didKey`.
 */
export const verifySignature: VerifySignature = (didKey, bytes, signature) => {
  const { curve, publicKey } = parseDidKey(didKey);
  return (
    signature.length === SIGNATURE_LENGTH &&
    ecdsaOf(curve).verify(signature, bytes, publicKey, { format: 'compact', lowS: true, prehash: true })
  );
};
