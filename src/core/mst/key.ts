/**
 * Keys of the tree: `collection/rkey` in ASCII, so that string order is byte order.
 * https://atproto.com/specs/repository#mst-structure
 */
import { asciiBytes } from '../data/bytes.ts';
import { RepoError } from '../errors.ts';
import type { HashAll } from '../data/sha256.ts';
import { DIGEST_LENGTH, sha256 } from '../data/sha256.ts';

/** The specification's limit, in bytes. A character is one byte. */
export const MAX_KEY_LENGTH = 1024;

/** Parts `.` and `..` would escape the folder into which a tool unpacks a repository. */
const PATTERN = /^(?!\.{1,2}\/)[A-Za-z0-9._~:-]+\/(?!\.{1,2}$)[A-Za-z0-9._~:-]+$/;

/**
 * Returns whether a text is a valid key: two parts of record key characters, neither of them empty, `.` or `..`. The
 * repository checks that the first part is an NSID, because test vectors have other ones.
 */
export const isTreeKey = (text: string): boolean => text.length <= MAX_KEY_LENGTH && PATTERN.test(text);

/** @throws {RepoError} `Malformed` when the text is not a valid key. */
export const assertTreeKey = (text: string): void => {
  if (!isTreeKey(text)) {
    throw new RepoError('Malformed', `not a key of a tree: use collection/rkey; key=${text.slice(0, 80)}`);
  }
};

/** Returns the leading zero bits of a digest, counted in pairs. */
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
 * Returns the layer of a key: the leading zero bits of its SHA-256, counted in pairs. Each layer has a fourth of the
 * keys of the layer below.
 */
export const layerOf = (key: string): number => layerAt(sha256(asciiBytes(key)), 0);

/** The same for many keys, hashed together. */
export const layersOf = (keys: readonly string[], hashAll: HashAll): number[] => {
  const digests = hashAll(keys);
  return keys.map((_, i) => layerAt(digests, i * DIGEST_LENGTH));
};

/** Returns the length of the common prefix of two keys. */
export const commonPrefixLength = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  let i = 0;
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) {
    i++;
  }
  return i;
};
