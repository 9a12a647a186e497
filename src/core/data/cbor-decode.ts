/**
 * Reads DAG-CBOR into values of the atproto data model. Integers become numbers, links become multiformats' `CID`, and
 * byte strings become `Uint8Array`. Maps have no prototype, so that `__proto__` and `constructor` are keys like any
 * other.
 *
 * The decoder is hand-written: `@ipld/dag-cbor` drops byte order marks and accepts bytes that the data model forbids.
 *
 * https://atproto.com/specs/data-model
 */
import { asciiText, copyBytes } from './bytes.ts';
import {
  BYTES,
  CBOR_NULL,
  CBOR_TRUE,
  CID_PREFIX_LENGTH,
  MAP,
  NEGATIVE,
  TAG,
  TEXT,
  UNSIGNED,
  argumentAt,
  checkCbor,
  headLength,
} from './cbor-check.ts';
import { CID_LENGTH, decodeCid } from './cid.ts';
import { RepoError } from '../errors.ts';
import { createMap } from './plain-map.ts';

interface Input {
  readonly bytes: Uint8Array;
  at: number;
}

// The byte order mark is a character of the text, not a hint.
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Up to this length ASCII is read without a call of `TextDecoder`: nearly every key is shorter, and of values those
 * with a form.
 */
const SHORT_TEXT = 64;

const isAscii = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) {
    if (bytes[at]! >= 0x80) {
      return false;
    }
  }
  return true;
};

const readText = (input: Input, length: number): string => {
  const { bytes, at: start } = input;
  const end = start + length;
  input.at = end;
  return length <= SHORT_TEXT && isAscii(bytes, start, end)
    ? asciiText(bytes, start, end)
    : decoder.decode(bytes.subarray(start, end));
};

const readMap = (input: Input, count: number): Record<string, unknown> => {
  const map = createMap();
  for (let i = 0; i < count; i++) {
    const length = argumentAt(input.bytes, input.at);
    input.at += headLength(input.bytes[input.at]! & 31);
    const key = readText(input, length);
    map[key] = readValue(input);
  }
  return map;
};

/** Reads one value of bytes that have been checked: nothing here can go wrong, and the depth is bounded. */
const readValue = (input: Input): unknown => {
  const { bytes, at } = input;
  const head = bytes[at]!;
  const type = head >> 5;
  if (type > TAG) {
    input.at = at + 1;
    return head === CBOR_NULL ? null : head === CBOR_TRUE;
  }
  const argument = argumentAt(bytes, at);
  input.at = at + headLength(head & 31);
  switch (type) {
    case UNSIGNED:
      return argument;
    case NEGATIVE:
      return -1 - argument;
    case BYTES:
      input.at += argument;
      return copyBytes(bytes.subarray(input.at - argument, input.at));
    case TEXT:
      return readText(input, argument);
    case TAG:
      input.at = at + CID_PREFIX_LENGTH + CID_LENGTH;
      return decodeCid(copyBytes(bytes.subarray(at + CID_PREFIX_LENGTH, input.at)));
    case MAP:
      return readMap(input, argument);
    default: {
      const array: unknown[] = [];
      for (let i = 0; i < argument; i++) {
        array.push(readValue(input));
      }
      return array;
    }
  }
};

/**
 * The value that some bytes encode. Byte strings and CIDs in it are copies: it holds on to nothing of `bytes`.
 * @throws {RepoError} `Malformed`, with the offset of what is wrong.
 */
export const decodeCbor = (bytes: Uint8Array): unknown => {
  checkCbor(bytes);
  return readValue({ bytes, at: 0 });
};

/**
 * The record that some bytes encode: a map with a `$type`. Owns its bytes, as what {@link decodeCbor} answers does.
 * @throws {RepoError} `Malformed`
 */
export const decodeRecord = (bytes: Uint8Array): Record<string, unknown> => {
  const value = decodeCbor(bytes);
  if (bytes[0]! >> 5 !== MAP) {
    throw new RepoError('Malformed', 'a record that is not a map; offset=0');
  }
  const record = value as Record<string, unknown>;
  if (typeof record['$type'] !== 'string' || record['$type'] === '') {
    throw new RepoError('Malformed', 'a record without a $type; offset=0');
  }
  return record;
};
