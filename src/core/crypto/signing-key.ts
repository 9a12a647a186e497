/** Private keys in memory, as signers of commits. */
import { hexToBytes } from '@noble/hashes/utils.js';
import type { Bytes } from '../data/bytes.ts';
import { copyBytes } from '../data/bytes.ts';
import { RepoError } from '../errors.ts';
import type { Curve } from './keys.ts';
import { ecdsaOf, formatDidKey } from './keys.ts';
import type { Signer } from './signer.ts';
import { isBytes } from '../data/platform-values.ts';

/** A private key. What `export` answers is all there is to it: keep that secret, and keep it. */
export interface SigningKey extends Signer {
  readonly curve: Curve;
  /** The public key as a `did:key`. */
  did(): string;
  /** The same for the same bytes (RFC 6979), with a low s. */
  sign(bytes: Uint8Array): Promise<Bytes>;
  /** The private key: 32 bytes, a copy. `importKey` takes them back. */
  export(): Bytes;
}

const HEX = /^[0-9a-f]{64}$/i;

/** The secret stays in a closure, so that printing or cloning the key does not give it away. */
const createSigningKey = (curve: Curve, secret: Bytes): SigningKey => {
  const ecdsa = ecdsaOf(curve);
  const didKey = formatDidKey(curve, ecdsa.getPublicKey(secret, true));
  return {
    curve,
    did: () => didKey,
    sign: async (bytes) =>
      ecdsa.sign(bytes, secret, { extraEntropy: false, format: 'compact', lowS: true, prehash: true }) as Bytes,
    export: () => copyBytes(secret),
  };
};

/** A new key from the platform's source of randomness. */
export const generateKey = (curve: Curve = 'secp256k1'): SigningKey =>
  createSigningKey(curve, ecdsaOf(curve).utils.randomSecretKey() as Bytes);

/**
 * The key that `export` answered, or that another tool wrote as 64 hexadecimal digits.
 * @throws {RepoError} `UnknownKey` when it is not 32 bytes, or not a private key of the curve. The message does not
 *   repeat it.
 */
export const importKey = (secret: Uint8Array | string, curve: Curve = 'secp256k1'): SigningKey => {
  if (typeof secret !== 'string' && !isBytes(secret)) {
    throw new TypeError('a private key is a Uint8Array or a text of hexadecimal digits');
  }
  if (typeof secret === 'string' && !HEX.test(secret)) {
    throw new RepoError('UnknownKey', `a private key is not 64 hexadecimal digits; length=${secret.length}`);
  }
  const bytes = typeof secret === 'string' ? (hexToBytes(secret) as Bytes) : copyBytes(secret);
  if (!ecdsaOf(curve).utils.isValidSecretKey(bytes)) {
    throw new RepoError('UnknownKey', `not a private key of the curve; curve=${curve}, length=${bytes.length}`);
  }
  return createSigningKey(curve, bytes);
};
