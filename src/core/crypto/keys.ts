/**
 * Public keys as atproto writes them, and the signatures they verify. https://atproto.com/specs/cryptography
 */
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

/** An uncompressed point takes 89 characters. Base58 takes time that grows with the square of the text. */
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

/** What DID documents called keys before `Multikey`: the type says the curve, and the point has no prefix. */
const OLD_TYPES: ReadonlyMap<string, Curve> = /* @__PURE__ */ new Map<string, Curve>([
  ['EcdsaSecp256k1VerificationKey2019', 'secp256k1'],
  ['EcdsaSecp256r1VerificationKey2019', 'p256'],
]);

const unknownKey = (message: string, cause?: unknown): RepoError =>
  new RepoError('UnknownKey', message, cause === undefined ? undefined : { cause });

/**
 * The arithmetic of a curve.
 * @throws {RepoError} `UnknownKey` when it is none of {@link CURVES}.
 */
export const ecdsaOf = (curve: Curve): ECDSA => {
  if (!CURVES.includes(curve)) {
    throw unknownKey(`not a curve of atproto; curve=${String(curve)}`);
  }
  return FACTS[curve].ecdsa;
};

/** A point that has been checked to lie on the curve, in its compressed form. */
const compress = (curve: Curve, point: Uint8Array): Bytes => {
  const ecdsa = ecdsaOf(curve);
  if (point.length !== COMPRESSED_LENGTH && point.length !== UNCOMPRESSED_LENGTH) {
    throw unknownKey(`a public key has 33 or 65 bytes; length=${point.length}`);
  }
  if (!ecdsa.utils.isValidPublicKey(point)) {
    throw unknownKey(`not a point of the curve; curve=${curve}`);
  }
  return ecdsa.Point.fromBytes(point).toBytes(true) as Bytes;
};

const decodeMultibase = (text: string): Uint8Array => {
  if (typeof text !== 'string') {
    throw new TypeError('a key is a string');
  }
  if (!text.startsWith('z') || text.length > MAX_MULTIBASE_LENGTH) {
    throw unknownKey(`a key begins with z and has at most ${MAX_MULTIBASE_LENGTH} characters; length=${text.length}`);
  }
  try {
    return base58btc.decode(text);
  } catch (cause) {
    throw unknownKey('a key is not base58', cause);
  }
};

const parsePrefixed = (multibase: string): PublicKey => {
  const bytes = decodeMultibase(multibase);
  const curve = CURVES.find((name) => FACTS[name].prefix.every((byte, i) => byte === bytes[i]));
  if (curve === undefined) {
    throw unknownKey('a key is neither of P-256 nor of secp256k1');
  }
  const point = bytes.subarray(FACTS[curve].prefix.length);
  if (point.length !== COMPRESSED_LENGTH) {
    throw unknownKey(`a public key is not compressed; length=${point.length}`);
  }
  return { curve, publicKey: compress(curve, point) };
};

/**
 * The `did:key` of a public key, given compressed (33 bytes) or not (65).
 * @throws {RepoError} `UnknownKey` when it is not a point of the curve.
 */
export const formatDidKey = (curve: Curve, publicKey: Uint8Array): string => {
  const point = compress(curve, publicKey);
  return DID_KEY + base58btc.encode(concatBytes([Uint8Array.from(FACTS[curve].prefix), point]));
};

/**
 * The public key that a `did:key` is.
 * @throws {RepoError} `UnknownKey` unless it is a compressed point of one of {@link CURVES}.
 */
export const parseDidKey = (text: string): PublicKey => {
  if (typeof text !== 'string') {
    throw new TypeError('a did:key is a string');
  }
  if (!text.startsWith(DID_KEY)) {
    throw unknownKey(`not a did:key; text=${text.slice(0, 80)}`);
  }
  return parsePrefixed(text.slice(DID_KEY.length));
};

/**
 * The public key in a verification method of a DID document: its `publicKeyMultibase`, and its `type`. Old types say
 * the curve and may hold the point uncompressed; `formatDidKey` makes a `did:key` of the answer.
 * @throws {RepoError} `UnknownKey` when the type is not known, or the text is no such key.
 */
export const parseMultikey = (multibase: string, type = 'Multikey'): PublicKey => {
  if (type === 'Multikey') {
    return parsePrefixed(multibase);
  }
  const curve = OLD_TYPES.get(type);
  if (curve === undefined) {
    throw unknownKey(`not a type of key that atproto uses; type=${type.slice(0, 80)}`);
  }
  return { curve, publicKey: compress(curve, decodeMultibase(multibase)) };
};

/**
 * Whether a signature is that of a `did:key` over the SHA-256 of `bytes`, under the rules of {@link verifySignature}.
 * Whoever opens a repository may hand in one that is faster; it must answer the same.
 * @throws {RepoError} `UnknownKey`
 */
export interface VerifySignature {
  (didKey: string, bytes: Uint8Array, signature: Uint8Array): boolean;
  /** The same beside other work, where the platform has a thread for it. */
  readonly aside?: ((didKey: string, bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>) | undefined;
}

/** Whether the s of a signature of 64 bytes lies in the upper half of its range. */
export const isHighS = (curve: Curve, signature: Uint8Array): boolean => {
  const { Point } = ecdsaOf(curve);
  const s = BigInt(`0x${bytesToHex(signature.subarray(SIGNATURE_LENGTH / 2))}`);
  return s > Point.Fn.ORDER >> 1n;
};

/**
 * Whether a signature is that of a key over the SHA-256 of `bytes`. Only the one form that atproto allows is: r and s
 * in 64 bytes, s in the lower half of its range. DER, a recovery byte and a high s are false like a wrong signature.
 * @throws {RepoError} `UnknownKey` when `didKey` is not a key that {@link parseDidKey} takes.
 */
export const verifySignature: VerifySignature = (didKey, bytes, signature) => {
  const { curve, publicKey } = parseDidKey(didKey);
  return (
    signature.length === SIGNATURE_LENGTH &&
    ecdsaOf(curve).verify(signature, bytes, publicKey, { format: 'compact', lowS: true, prehash: true })
  );
};
