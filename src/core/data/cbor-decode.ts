/**
 * Decodes DAG-CBOR into values of the atproto data model. Integers become numbers, links `CID` of multiformats, and
 * byte strings `Uint8Array`. Maps have no prototype, so that `__proto__` and `constructor` are ordinary keys.
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
  byteAt,
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

// A byte order mark is part of the text.
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * ASCII texts up to this length are decoded without `TextDecoder`. Nearly all keys, and values such as dates and URIs,
 * are shorter.
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

/** Decodes one value of checked bytes. It cannot fail, and its depth is bounded. */
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
 * Decodes one value. Byte strings and CIDs in it are copies.
 * @throws {RepoError} `Malformed`, with the offset of the fault.
 */
export const decodeCbor = (bytes: Uint8Array): unknown => {
  checkCbor(bytes);
  return readValue({ bytes, at: 0 });
};

/**
 * Decodes a record: a map with a `$type`. Byte strings and CIDs in it are copies.
 * @throws {RepoError} `Malformed`, with the offset of the fault.
 */
export const decodeRecord = (bytes: Uint8Array): Record<string, unknown> => {
  const value = decodeCbor(bytes);
  if (bytes[0]! >> 5 !== MAP) {
    throw new RepoError('Malformed', `the record is not a map: encode a map with a $type; ${byteAt(bytes, 0)}`);
  }
  const record = value as Record<string, unknown>;
  if (typeof record['$type'] !== 'string' || record['$type'] === '') {
    throw new RepoError(
      'Malformed',
      `the record has no valid $type: encode it with a $type that is a non-empty text; ${byteAt(bytes, 0)}`,
    );
  }
  return record;
};
