/** SHA-256, at once: keys and blocks are short, and `crypto.subtle` costs six times as much for a 30-byte key. */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from './bytes.ts';
import { asciiBytes } from './bytes.ts';

/** In bytes. */
export const DIGEST_LENGTH = 32;

export const sha256 = (bytes: Uint8Array): Bytes => nobleSha256(bytes) as Bytes;

/** What is hashed: bytes, or a text of ASCII characters alone, which stands for its bytes. */
export type Message = Uint8Array | string;

/**
 * Hashes many messages at once and answers their digests, 32 bytes each, one after the other in their order. They are
 * the caller's. Whoever opens a repository may hand in one that is faster than {@link hashAll}; it must answer the
 * same.
 */
export type HashAll = (messages: readonly Message[]) => Bytes;

/** Hashes one message after the other. */
export const hashAll: HashAll = (messages) => {
  const digests = new Uint8Array(messages.length * DIGEST_LENGTH);
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i]!;
    digests.set(nobleSha256(typeof message === 'string' ? asciiBytes(message) : message), i * DIGEST_LENGTH);
  }
  return digests;
};

/** A hash over bytes that come in pieces. */
export interface Sha256Stream {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

export const sha256Stream = (): Sha256Stream => nobleSha256.create();
