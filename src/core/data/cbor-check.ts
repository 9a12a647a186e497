/**
 * The rules of DAG-CBOR on the atproto data model, all of them and only here: one value, in the one encoding
 * that it has, is let through, and everything else is refused at its first wrong byte.
 *
 * https://atproto.com/specs/data-model, https://dasl.ing/drisl.html
 */
import { CID_LENGTH, isCidBytes } from './cid.ts';
import { RepoError } from '../errors.ts';
import { isBytes } from './platform-values.ts';

/** Levels of arrays and maps. The specification recommends 32; a cap twice as high only stops what was made to hurt. */
export const MAX_CBOR_DEPTH = 64;
/** Entries of one array or map, as the specification recommends: 128 Ki. */
export const MAX_CBOR_ENTRIES = 131_072;
/**
 * Values in one block, however they are nested. A map without entries is one byte there and 230 in memory: two million
 * of them fit a block, and took 465 MB. This many take 60, and a megabyte of the densest honest record has fewer.
 */
export const MAX_CBOR_VALUES = 262_144;
/** Bytes of one map key, as the specification recommends. */
export const MAX_CBOR_KEY_LENGTH = 8192;

/** The major types, which are the upper three bits of a head. */
export const UNSIGNED = 0;
export const NEGATIVE = 1;
export const BYTES = 2;
export const TEXT = 3;
export const ARRAY = 4;
export const MAP = 5;
export const TAG = 6;

export const CBOR_FALSE = 0xf4;
export const CBOR_TRUE = 0xf5;
export const CBOR_NULL = 0xf6;

/** The only tag: a CID in a byte string, after a zero that stands for its multibase prefix. */
export const TAG_CID = 42;
/** What comes before the 36 bytes of a CID: tag 42, then a byte string of 37 bytes, then the zero. */
export const CID_PREFIX_LENGTH = 5;

/** A head is one byte, or one and an argument of 1, 2, 4 or 8 bytes; by its lower five bits. */
export const headLength = (info: number): number => (info < 24 ? 1 : 1 + (1 << (info - 24)));

const malformed = (what: string, offset: number): RepoError => new RepoError('Malformed', `${what}; offset=${offset}`);

/** The argument of the head at `at`: a number, a length, a count or a tag. */
export const argumentAt = (bytes: Uint8Array, at: number): number => {
  const info = bytes[at]! & 31;
  if (info < 24) {
    return info;
  }
  if (info > 27) {
    throw malformed(info === 31 ? 'an indefinite length' : 'a reserved head', at);
  }
  const end = at + headLength(info);
  if (end > bytes.length) {
    throw malformed('the bytes end inside a head', at);
  }
  let argument = 0;
  for (let i = at + 1; i < end; i++) {
    // No shifts: they stop at 32 bits. What passes 53 bits is inexact here, and is refused below.
    argument = argument * 256 + bytes[i]!;
  }
  if (argument > Number.MAX_SAFE_INTEGER) {
    throw malformed('an integer past 2^53 - 1', at);
  }
  const least = info === 24 ? 24 : info === 25 ? 0x100 : info === 26 ? 0x1_0000 : 0x1_0000_0000;
  if (argument < least) {
    throw malformed('a head that is longer than it needs to be', at);
  }
  return argument;
};

/** By hand, as `TextDecoder` builds a string to throw away, and costs 0.3 µs before the first byte. */
const checkUtf8 = (bytes: Uint8Array, start: number, end: number): void => {
  let at = start;
  while (at < end) {
    const first = bytes[at]!;
    if (first < 0x80) {
      at += 1;
      continue;
    }
    const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    // The second byte's range shuts out what has a shorter form, surrogates, and what lies past U+10FFFF.
    const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (first < 0xc2 || first > 0xf4 || at + length > end || bytes[at + 1]! < low || bytes[at + 1]! > high) {
      throw malformed('text that is not UTF-8', at);
    }
    for (let i = at + 2; i < at + length; i++) {
      if (bytes[i]! >> 6 !== 0b10) {
        throw malformed('text that is not UTF-8', at);
      }
    }
    at += length;
  }
};

/** Whether the key at `b` comes after the key at `a`: the shorter first, then by bytes. Equal keys do not. */
const isKeyAfter = (bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean => {
  const length = bEnd - b;
  if (length !== aEnd - a) {
    return length > aEnd - a;
  }
  for (let i = 0; i < length; i++) {
    const difference = bytes[b + i]! - bytes[a + i]!;
    if (difference !== 0) {
      return difference > 0;
    }
  }
  return false;
};

/** Checks a byte string or text whose content starts at `start`, and answers where it ends. */
const checkString = (bytes: Uint8Array, at: number, start: number, length: number, isText: boolean): number => {
  if (length > bytes.length - start) {
    throw malformed('the bytes end inside a string', at);
  }
  const end = start + length;
  if (isText) {
    checkUtf8(bytes, start, end);
  }
  return end;
};

const checkArray = (bytes: Uint8Array, start: number, count: number, depth: number): number => {
  let at = start;
  for (let i = 0; i < count; i++) {
    at = checkValue(bytes, at, depth);
  }
  return at;
};

const checkMap = (bytes: Uint8Array, start: number, count: number, depth: number): number => {
  let at = start;
  let last = 0;
  let lastEnd = 0;
  for (let i = 0; i < count; i++) {
    const head = at < bytes.length ? bytes[at]! : 0;
    if (head >> 5 !== TEXT) {
      throw malformed('a map key that is not text', at);
    }
    const length = argumentAt(bytes, at);
    if (length > MAX_CBOR_KEY_LENGTH) {
      throw malformed(`a map key of more than ${MAX_CBOR_KEY_LENGTH} bytes`, at);
    }
    const key = at + headLength(head & 31);
    const keyEnd = checkString(bytes, at, key, length, true);
    if (i > 0 && !isKeyAfter(bytes, last, lastEnd, key, keyEnd)) {
      throw malformed('map keys that are out of order or double', at);
    }
    last = key;
    lastEnd = keyEnd;
    at = checkValue(bytes, keyEnd, depth);
  }
  return at;
};

const checkCid = (bytes: Uint8Array, at: number, tag: number): number => {
  if (tag !== TAG_CID) {
    throw malformed(`the tag ${tag}`, at);
  }
  const start = at + CID_PREFIX_LENGTH;
  // 0x58 0x25 is the head of a byte string of 37 bytes.
  if (bytes[at + 2] !== 0x58 || bytes[at + 3] !== CID_LENGTH + 1 || bytes[at + 4] !== 0 || !isCidBytes(bytes, start)) {
    throw malformed('a link that is no CIDv1 of dag-cbor or raw with SHA-256', at);
  }
  return start + CID_LENGTH;
};

/** Checks the value at `at` and answers where it ends. Calls itself at most {@link MAX_CBOR_DEPTH} levels deep. */
const checkValue = (bytes: Uint8Array, at: number, depth: number): number => {
  if (at >= bytes.length) {
    throw malformed('the bytes end before the value does', at);
  }
  const head = bytes[at]!;
  if (head >= CBOR_FALSE && head <= CBOR_NULL) {
    return at + 1;
  }
  const type = head >> 5;
  if (type > TAG) {
    throw malformed('a float, undefined or other simple value', at);
  }
  const argument = argumentAt(bytes, at);
  const start = at + headLength(head & 31);
  switch (type) {
    case UNSIGNED:
      return start;
    case NEGATIVE:
      if (argument === Number.MAX_SAFE_INTEGER) {
        throw malformed('an integer below -(2^53 - 1)', at);
      }
      return start;
    case BYTES:
    case TEXT:
      return checkString(bytes, at, start, argument, type === TEXT);
    case TAG:
      return checkCid(bytes, at, argument);
    default:
      break;
  }
  if (depth === MAX_CBOR_DEPTH) {
    throw malformed(`more than ${MAX_CBOR_DEPTH} levels`, at);
  }
  if (argument > MAX_CBOR_ENTRIES) {
    throw malformed(`more than ${MAX_CBOR_ENTRIES} entries`, at);
  }
  // An entry takes a byte at least, so a count that lies is found out before anybody works for it.
  if (argument * (type === MAP ? 2 : 1) > bytes.length - start) {
    throw malformed('the bytes end before the entries do', at);
  }
  return type === MAP ? checkMap(bytes, start, argument, depth + 1) : checkArray(bytes, start, argument, depth + 1);
};

/**
 * Whether bytes that have been checked hold more values, map keys included, than a block may. One loop, whatever the
 * depth.
 */
export const hasTooManyValues = (bytes: Uint8Array): boolean => {
  // A value has a byte at least.
  if (bytes.length <= MAX_CBOR_VALUES) {
    return false;
  }
  let values = 0;
  for (let at = 0; at < bytes.length; values++) {
    const head = bytes[at]!;
    const type = head >> 5;
    if (type === TAG) {
      at += CID_PREFIX_LENGTH + CID_LENGTH;
    } else if (type > TAG) {
      at += 1;
    } else {
      at += headLength(head & 31) + (type === BYTES || type === TEXT ? argumentAt(bytes, at) : 0);
    }
  }
  return values > MAX_CBOR_VALUES;
};

/**
 * Checks that the bytes are one value of the atproto data model in its only DAG-CBOR encoding. Builds nothing.
 * @throws {RepoError} `Malformed`, with the offset of what is wrong.
 */
export const checkCbor = (bytes: Uint8Array): void => {
  if (!isBytes(bytes)) {
    throw new TypeError('bytes to check are a Uint8Array');
  }
  const end = checkValue(bytes, 0, 0);
  if (end !== bytes.length) {
    throw malformed('bytes after the value', end);
  }
  if (hasTooManyValues(bytes)) {
    throw malformed(`more than ${MAX_CBOR_VALUES} values`, 0);
  }
};
