/** Private keys in memory that sign commits. */
import { hexToBytes } from '@noble/hashes/utils.js';
import type { Bytes } from '../data/bytes.ts';
import { copyBytes } from '../data/bytes.ts';
import { RepoError } from '../errors.ts';
import type { Curve } from './keys.ts';
import { ecdsaOf, formatDidKey } from './keys.ts';
import type { Signer } from './signer.ts';
import { isBytes } from '../data/platform-values.ts';

/** A private key. The bytes of `export` are the whole key: store them, and keep them secret. */
export interface SigningKey extends Signer {
  readonly curve: Curve;
  /** Returns the public key as a `did:key`. */
  did(): string;
  /** Returns the deterministic signature (RFC 6979), with a low s. */
  sign(bytes: Uint8Array): Promise<Bytes>;
  /** Returns a copy of the private key: 32 bytes for `importKey`. */
  export(): Bytes;
}

/**
 * Signs the SHA-256 of `bytes` where a platform is faster than JavaScript. It must return the signature that
 * {@link SigningKey.sign} returns, or `undefined` if it cannot sign with this curve. It must not keep the secret.
 */
export type SignBytes = (curve: Curve, secret: Uint8Array, bytes: Uint8Array) => Promise<Bytes | undefined>;

const HEX = /^[0-9a-f]{64}$/i;

/** By the method `sign` of a key, so that a signer whose method was replaced is called. */
const secrets: WeakMap<Signer['sign'], { readonly curve: Curve; readonly secret: Bytes }> =
  /* @__PURE__ */ new WeakMap();

/** The secret is in a closure, so that printing or cloning the key does not reveal it. */
const createSigningKey = (curve: Curve, secret: Bytes): SigningKey => {
  const ecdsa = ecdsaOf(curve);
  const didKey = formatDidKey(curve, ecdsa.getPublicKey(secret, true));
  const sign: SigningKey['sign'] = async (bytes) =>
    ecdsa.sign(bytes, secret, { extraEntropy: false, format: 'compact', lowS: true, prehash: true }) as Bytes;
  secrets.set(sign, { curve, secret });
  return { curve, did: () => didKey, sign, export: () => copyBytes(secret) };
};

/**
 * Returns the signature of a signer over the SHA-256 of `bytes`. Keys of this module sign by `signBytes` if it can.
 * Rejects with the signer's own error if the signer fails.
 */
export const signBy = async (signer: Signer, bytes: Bytes, signBytes: SignBytes | undefined): Promise<Uint8Array> => {
  const own = signBytes && secrets.get(signer.sign);
  return (own && (await signBytes(own.curve, own.secret, bytes))) ?? signer.sign(bytes);
};

/** Returns a new key from the platform's source of randomness. */
export const generateKey = (curve: Curve = 'secp256k1'): SigningKey =>
  createSigningKey(curve, ecdsaOf(curve).utils.randomSecretKey() as Bytes);

/**
 * Returns the key with the secret that `export` returned, or of 64 hexadecimal digits from another tool.
 * @throws {RepoError} `UnknownKey` when the secret is not 32 bytes, or not a private key of the curve. The message does
 *   not contain it.
 */
export const importKey = (secret: Uint8Array | string, curve: Curve = 'secp256k1'): SigningKey => {
  if (typeof secret !== 'string' && !isBytes(secret)) {
    throw new TypeError(`expected a private key as a Uint8Array or as hexadecimal digits; type=${typeof secret}`);
  }
  if (typeof secret === 'string' && !HEX.test(secret)) {
    throw new RepoError(
      'UnknownKey',
      `the private key is not hexadecimal: pass 64 hexadecimal digits; length=${secret.length}`,
    );
  }
  const bytes = typeof secret === 'string' ? (hexToBytes(secret) as Bytes) : copyBytes(secret);
  if (!ecdsaOf(curve).utils.isValidSecretKey(bytes)) {
    throw new RepoError(
      'UnknownKey',
      `the private key is not valid for the curve: pass 32 bytes of a key of ${curve}; length=${bytes.length}`,
    );
  }
  return createSigningKey(curve, bytes);
};
