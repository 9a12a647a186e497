/**
 * Validates DAG-CBOR by the rules of the atproto data model. Accepts exactly one value in its only encoding, and
 * rejects at the first wrong byte.
 *
 * https://atproto.com/specs/data-model, https://dasl.ing/drisl.html
 */
import { CID_LENGTH, isCidBytes } from './cid.ts';
import { RepoError } from '../errors.ts';
import { isBytes } from './platform-values.ts';

/** Most levels of arrays and maps. The specification recommends 32; twice that stops only hostile input. */
export const MAX_CBOR_DEPTH = 64;
/** Most entries of one array or map, as the specification recommends: 128 Ki. */
export const MAX_CBOR_ENTRIES = 131_072;
/**
 * Most values in one block, nested ones included. An empty map has one byte encoded and 230 bytes in memory: two
 * million of them fit a block and took 465 MB. This limit takes 60 MB. A real record of 1 MB has fewer.
 */
export const MAX_CBOR_VALUES = 262_144;
/** Most bytes of one map key, as the specification recommends. */
export const MAX_CBOR_KEY_LENGTH = 8192;

/** The major types: the upper three bits of a head. */
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

/** The only tag: a CID in a byte string, after a zero as its multibase prefix. */
export const TAG_CID = 42;
/** Bytes before the 36 bytes of a CID: tag 42, the head of a byte string of 37 bytes, and the zero. */
export const CID_PREFIX_LENGTH = 5;

/** Returns the length of a head by its lower five bits: one byte, plus an argument of 0, 1, 2, 4 or 8 bytes. */
export const headLength = (info: number): number => (info < 24 ? 1 : 1 + (1 << (info - 24)));

/** Returns the byte at an offset and the offset, for a message. */
export const byteAt = (bytes: Uint8Array, offset: number): string => {
  const byte = bytes[offset];
  return `byte=${byte === undefined ? 'end' : `0x${byte.toString(16).padStart(2, '0')}`} offset=${offset}`;
};

const malformed = (what: string, bytes: Uint8Array, offset: number): RepoError =>
  new RepoError(
    'Malformed',
    `invalid DAG-CBOR: ${what}. Encode the value again with encodeCbor; ${byteAt(bytes, offset)}`,
  );

/** Returns the name of a head of major type 7 that the data model forbids. */
const simpleName = (head: number): string =>
  head === 0xf7 ? 'undefined' : head >= 0xf9 && head <= 0xfb ? 'a float' : 'a simple value';

/** Returns the argument of the head at `at`: a number, a length, a count or a tag. */
export const argumentAt = (bytes: Uint8Array, at: number): number => {
  const info = bytes[at]! & 31;
  if (info < 24) {
    return info;
  }
  if (info > 27) {
    throw malformed(info === 31 ? 'an indefinite length' : 'a reserved head', bytes, at);
  }
  const end = at + headLength(info);
  if (end > bytes.length) {
    throw malformed('the bytes end inside a head', bytes, at);
  }
  let argument = 0;
  for (let i = at + 1; i < end; i++) {
    // No shifts, because they have 32 bits. A value above 53 bits is inexact here and rejected below.
    argument = argument * 256 + bytes[i]!;
  }
  if (argument > Number.MAX_SAFE_INTEGER) {
    throw malformed('an integer above 2^53 - 1', bytes, at);
  }
  const least = info === 24 ? 24 : info === 25 ? 0x100 : info === 26 ? 0x1_0000 : 0x1_0000_0000;
  if (argument < least) {
    throw malformed('a head that is not in its shortest form', bytes, at);
  }
  return argument;
};

/** Hand-written, because `TextDecoder` builds a string and takes 0.3 µs per call. */
const checkUtf8 = (bytes: Uint8Array, start: number, end: number): void => {
  let at = start;
  while (at < end) {
    const first = bytes[at]!;
    if (first < 0x80) {
      at += 1;
      continue;
    }
    const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    // The range of the second byte excludes overlong forms, surrogates, and code points above U+10FFFF.
    const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (first < 0xc2 || first > 0xf4 || at + length > end || bytes[at + 1]! < low || bytes[at + 1]! > high) {
      throw malformed('text that is not UTF-8', bytes, at);
    }
    for (let i = at + 2; i < at + length; i++) {
      if (bytes[i]! >> 6 !== 0b10) {
        throw malformed('text that is not UTF-8', bytes, at);
      }
    }
    at += length;
  }
};

/** Returns whether the key at `b` sorts after the key at `a`: by length, then by bytes. */
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

/** Checks a byte string or text whose content starts at `start`. Returns its end. */
const checkString = (bytes: Uint8Array, at: number, start: number, length: number, isText: boolean): number => {
  if (length > bytes.length - start) {
    throw malformed('the bytes end inside a string', bytes, at);
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
      throw malformed('a map key that is not text', bytes, at);
    }
    const length = argumentAt(bytes, at);
    if (length > MAX_CBOR_KEY_LENGTH) {
      throw malformed(`a map key of ${length} bytes, more than ${MAX_CBOR_KEY_LENGTH}`, bytes, at);
    }
    const key = at + headLength(head & 31);
    const keyEnd = checkString(bytes, at, key, length, true);
    if (i > 0 && !isKeyAfter(bytes, last, lastEnd, key, keyEnd)) {
      throw malformed('map keys that are out of order or duplicate', bytes, at);
    }
    last = key;
    lastEnd = keyEnd;
    at = checkValue(bytes, keyEnd, depth);
  }
  return at;
};

const checkCid = (bytes: Uint8Array, at: number, tag: number): number => {
  if (tag !== TAG_CID) {
    throw malformed(`the tag ${tag}`, bytes, at);
  }
  const start = at + CID_PREFIX_LENGTH;
  // 0x58 0x25 is the head of a byte string of 37 bytes.
  if (bytes[at + 2] !== 0x58 || bytes[at + 3] !== CID_LENGTH + 1 || bytes[at + 4] !== 0 || !isCidBytes(bytes, start)) {
    throw malformed('a link that is not a CIDv1 of dag-cbor or raw with SHA-256', bytes, at);
  }
  return start + CID_LENGTH;
};

/** Checks the value at `at`. Returns its end. Recurses at most {@link MAX_CBOR_DEPTH} levels deep. */
const checkValue = (bytes: Uint8Array, at: number, depth: number): number => {
  if (at >= bytes.length) {
    throw malformed('the bytes end inside a value', bytes, at);
  }
  const head = bytes[at]!;
  if (head >= CBOR_FALSE && head <= CBOR_NULL) {
    return at + 1;
  }
  const type = head >> 5;
  if (type > TAG) {
    throw malformed(simpleName(head), bytes, at);
  }
  const argument = argumentAt(bytes, at);
  const start = at + headLength(head & 31);
  switch (type) {
    case UNSIGNED:
      return start;
    case NEGATIVE:
      if (argument === Number.MAX_SAFE_INTEGER) {
        throw malformed('an integer below -(2^53 - 1)', bytes, at);
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
    throw malformed(`more than ${MAX_CBOR_DEPTH} levels`, bytes, at);
  }
  if (argument > MAX_CBOR_ENTRIES) {
    throw malformed(`${argument} entries, more than ${MAX_CBOR_ENTRIES}`, bytes, at);
  }
  // An entry has at least one byte, so a wrong count is found before any work.
  if (argument * (type === MAP ? 2 : 1) > bytes.length - start) {
    throw malformed('the bytes end inside an array or a map', bytes, at);
  }
  return type === MAP ? checkMap(bytes, start, argument, depth + 1) : checkArray(bytes, start, argument, depth + 1);
};

/** Returns whether valid bytes have more values, map keys included, than {@link MAX_CBOR_VALUES}. Not recursive. */
export const hasTooManyValues = (bytes: Uint8Array): boolean => {
  // A value has at least one byte.
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
 * Checks that the bytes are one value of the atproto data model in its only DAG-CBOR encoding. Builds no value.
 * @throws {RepoError} `Malformed`, with the offset of the fault.
 */
export const checkCbor = (bytes: Uint8Array): void => {
  if (!isBytes(bytes)) {
    throw new TypeError(`expected DAG-CBOR as a Uint8Array; type=${typeof bytes}`);
  }
  const end = checkValue(bytes, 0, 0);
  if (end !== bytes.length) {
    throw malformed('bytes after the value', bytes, end);
  }
  if (hasTooManyValues(bytes)) {
    throw malformed(`more than ${MAX_CBOR_VALUES} values`, bytes, 0);
  }
};
