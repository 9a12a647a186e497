/** The names of lock files. See the comment at the top of `lock.ts`. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { asciiBytes } from '../../core/data/bytes.ts';
import { sha256 } from '../../core/data/sha256.ts';

export const LOCK_NAME: string = 'pds.lock';

/** The names of a chain's files, except the first. */
export const CLAIM: RegExp = /^pds\.lock(\.[0-9a-z]+-)+$/;

/**
 * The longest name that is not replaced by a hash. Most file systems allow 255 bytes, and eCryptfs allows 143. The
 * names of eleven successors fit.
 */
const MAX_NAME = 120;

/** Bytes of the hash in a longer name. Its text is longer than any time. */
const HASH_LENGTH = 16;

const hashOf = (text: string): string => bytesToHex(sha256(asciiBytes(text)).subarray(0, HASH_LENGTH));

/** Returns the name of the only file that may succeed the file `name`, which was created at `madeMs`. */
export const successorOf = (name: string, madeMs: number): string => {
  const whole = `${name}.${madeMs.toString(36)}-`;
  return whole.length <= MAX_NAME ? whole : `${LOCK_NAME}.${hashOf(whole)}-`;
};
