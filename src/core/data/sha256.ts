/** Synchronous SHA-256. Keys and blocks are short: for a 30-byte key, `crypto.subtle` takes six times as long. */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from './bytes.ts';
import { asciiBytes } from './bytes.ts';

/** The length of a digest in bytes. */
export const DIGEST_LENGTH = 32;

export const sha256 = (bytes: Uint8Array): Bytes => nobleSha256(bytes) as Bytes;

/** A message to hash: bytes, or an ASCII text, whose bytes are hashed. */
export type Message = Uint8Array | string;

/**
 * Hashes many messages and returns their digests, 32 bytes each, concatenated in order. The caller owns the result. A
 * caller may pass a faster function than {@link hashAll} to a repository. It must return the same.
 */
export type HashAll = (messages: readonly Message[]) => Bytes;

/** Hashes messages one by one. */
export const hashAll: HashAll = (messages) => {
  const digests = new Uint8Array(messages.length * DIGEST_LENGTH);
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i]!;
    digests.set(nobleSha256(typeof message === 'string' ? asciiBytes(message) : message), i * DIGEST_LENGTH);
  }
  return digests;
};

/** A hash of one message that comes in parts. It reads the bytes of a part before `update` returns. */
export interface Sha256Stream {
  update(bytes: Uint8Array): unknown;
  /** Ends the hash. Call it once. */
  digest(): Uint8Array;
}

/** Starts a hash. A caller may pass a faster function than {@link sha256Stream}. */
export type CreateHash = () => Sha256Stream;

/** Starts a hash in JavaScript. */
export const sha256Stream: CreateHash = () => nobleSha256.create();
