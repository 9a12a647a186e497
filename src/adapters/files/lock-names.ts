/** The names of lock files: see the head of `lock.ts`. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { asciiBytes } from '../../core/data/bytes.ts';
import { sha256 } from '../../core/data/sha256.ts';

export const LOCK_NAME: string = 'pds.lock';

/** The files of a chain, after the first. */
export const CLAIM: RegExp = /^pds\.lock(\.[0-9a-z]+-)+$/;

/**
 * Characters of the longest name that is written out. Most file systems allow 255 bytes, and eCryptfs allows 143. The
 * names of eleven successors fit.
 */
const MAX_NAME = 120;

/** Bytes of the hash in place of a longer name. As text, it is longer than any time. */
const HASH_LENGTH = 16;

const hashOf = (text: string): string => bytesToHex(sha256(asciiBytes(text)).subarray(0, HASH_LENGTH));

/** The name of the one file that may succeed the file of this name, made at this time. */
export const successorOf = (name: string, madeMs: number): string => {
  const whole = `${name}.${madeMs.toString(36)}-`;
  return whole.length <= MAX_NAME ? whole : `${LOCK_NAME}.${hashOf(whole)}-`;
};
