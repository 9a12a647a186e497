/**
 * Keys of the tree: `collection/rkey`, in ASCII, so that the order of JavaScript strings is the order of bytes.
 * https://atproto.com/specs/repository#mst-structure
 */
import { asciiBytes } from '../data/bytes.ts';
import { RepoError } from '../errors.ts';
import type { HashAll } from '../data/sha256.ts';
import { DIGEST_LENGTH, sha256 } from '../data/sha256.ts';

/** In bytes, which are characters here. The specification's limit. */
export const MAX_KEY_LENGTH = 1024;

/** A part that is `.` or `..` would climb out of wherever somebody unpacks a repository. */
const PATTERN = /^(?!\.{1,2}\/)[A-Za-z0-9._~:-]+\/(?!\.{1,2}$)[A-Za-z0-9._~:-]+$/;

/**
 * Whether a text is a key that a tree may hold: two parts, neither of them empty, `.` or `..`, of the characters of
 * record keys. That the first part is an NSID is for the repository to check; test vectors have other ones.
 */
export const isTreeKey = (text: string): boolean => text.length <= MAX_KEY_LENGTH && PATTERN.test(text);

/** @throws {RepoError} `Malformed` unless the text is a key that a tree may hold. */
export const assertTreeKey = (text: string): void => {
  if (!isTreeKey(text)) {
    throw new RepoError('Malformed', `not a key of a tree: collection/rkey; key=${text.slice(0, 80)}`);
  }
};

/** The zero bits that a digest begins with, in pairs. */
const layerAt = (digests: Uint8Array, start: number): number => {
  let layer = 0;
  for (let at = start; at < start + DIGEST_LENGTH; at++) {
    const byte = digests[at]!;
    if (byte !== 0) {
      return layer + ((Math.clz32(byte) - 24) >> 1);
    }
    layer += 4;
  }
  return layer;
};

/**
 * The layer that a key belongs to: the zero bits that its SHA-256 begins with, in pairs. A fourth goes one layer up.
 */
export const layerOf = (key: string): number => layerAt(sha256(asciiBytes(key)), 0);

/** The same for many keys, hashed together. */
export const layersOf = (keys: readonly string[], hashAll: HashAll): number[] => {
  const digests = hashAll(keys);
  return keys.map((_, i) => layerAt(digests, i * DIGEST_LENGTH));
};

/** How many characters two keys have in common from their beginning. */
export const commonPrefixLength = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  let i = 0;
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) {
    i++;
  }
  return i;
};
