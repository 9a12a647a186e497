/**
 * Values of the atproto data model to DAG-CBOR and back. Integers are numbers, links are multiformats' `CID`,
 * byte strings are `Uint8Array`, and maps come out without a prototype, so that `__proto__` and `constructor`
 * are keys like any other.
 *
 * https://atproto.com/specs/data-model
 */
import type { Bytes } from './bytes.ts';
import { asciiText, copyBytes } from './bytes.ts';
import {
  ARRAY,
  BYTES,
  CBOR_FALSE,
  CBOR_NULL,
  CBOR_TRUE,
  CID_PREFIX_LENGTH,
  MAP,
  MAX_CBOR_DEPTH,
  MAX_CBOR_ENTRIES,
  MAX_CBOR_KEY_LENGTH,
  MAX_CBOR_VALUES,
  NEGATIVE,
  TAG,
  TAG_CID,
  TEXT,
  UNSIGNED,
  argumentAt,
  checkCbor,
  hasTooManyValues,
  headLength,
} from './cbor-check.ts';
import type { CID } from './cid.ts';
import { CID_LENGTH, asCid, decodeCid, isCidBytes } from './cid.ts';
import { RepoError } from '../errors.ts';
import { sortKeys } from './key-order.ts';
import { createMap, isPlainMap } from './plain-map.ts';
import { isBytes } from './platform-values.ts';
import { formatPath } from './value-path.ts';

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

/** What is being written: the bytes so far, and the way from the top to the value at hand. */
interface Output {
  bytes: Bytes;
  at: number;
  readonly path: (string | number)[];
}

const encoder = /* @__PURE__ */ new TextEncoder();

/** What a record is written into. It is kept: a new array of even 512 bytes costs a microsecond. */
const SCRATCH_SIZE = 65_536;
let scratch: Bytes | undefined;

/** A head has at most nine bytes. */
const MAX_HEAD = 9;
/** Texts of this length and more have a head of several bytes. */
const LONG_TEXT = 24;

const invalid = (what: string, { path }: Output): RepoError =>
  new RepoError('InvalidRecord', `${what}; path=${formatPath(path)}`);

/** Makes room for a head and `length` bytes. */
const reserve = (output: Output, length: number): void => {
  const least = output.at + MAX_HEAD + length;
  if (least > output.bytes.length) {
    const larger = new Uint8Array(Math.max(least, output.bytes.length * 2));
    larger.set(output.bytes.subarray(0, output.at));
    output.bytes = larger;
  }
};

const writeHead = (output: Output, type: number, argument: number): void => {
  reserve(output, 0);
  const length = argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8;
  const info = length === 0 ? argument : length === 1 ? 24 : length === 2 ? 25 : length === 4 ? 26 : 27;
  const { bytes, at } = output;
  bytes[at] = (type << 5) | info;
  let rest = argument;
  for (let i = at + length; i > at; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  output.at = at + 1 + length;
};

const writeBytes = (output: Output, type: number, content: Uint8Array): void => {
  writeHead(output, type, content.length);
  reserve(output, content.length);
  output.bytes.set(content, output.at);
  output.at += content.length;
};

const writeText = (output: Output, text: string): void => {
  if (text.length >= LONG_TEXT) {
    writeLongText(output, text);
    return;
  }
  reserve(output, text.length);
  const { bytes, at } = output;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) {
      writeLongText(output, text);
      return;
    }
    bytes[at + 1 + i] = code;
  }
  bytes[at] = (TEXT << 5) | text.length;
  output.at = at + 1 + text.length;
};

const writeLongText = (output: Output, text: string): void => {
  if (!text.isWellFormed()) {
    throw invalid('half of a surrogate pair', output);
  }
  // A character of UTF-16 has at most three bytes. The head comes before the text, and its length depends on the
  // text's: so the text is written behind the longest head, and drawn forward.
  reserve(output, text.length * 3);
  const start = output.at + MAX_HEAD;
  const { written } = encoder.encodeInto(text, output.bytes.subarray(start));
  writeHead(output, TEXT, written);
  output.bytes.copyWithin(output.at, start, start + written);
  output.at += written;
};

const writeInteger = (output: Output, value: bigint | number): void => {
  const integer = Number(value);
  if (!Number.isSafeInteger(integer)) {
    throw invalid(Number.isInteger(integer) ? 'an integer past 2^53 - 1' : 'a number that is no integer', output);
  }
  if (integer < 0) {
    writeHead(output, NEGATIVE, -1 - integer);
  } else {
    writeHead(output, UNSIGNED, integer);
  }
};

const writeLink = (output: Output, cid: CID): void => {
  if (cid.bytes.length !== CID_LENGTH || !isCidBytes(cid.bytes)) {
    throw invalid('a link that is no CIDv1 of dag-cbor or raw with SHA-256', output);
  }
  const content = new Uint8Array(CID_LENGTH + 1);
  content.set(cid.bytes, 1);
  writeHead(output, TAG, TAG_CID);
  writeBytes(output, BYTES, content);
};

/** Counts the entries of an array or map, and the level. */
const assertSize = (output: Output, count: number): void => {
  if (count > MAX_CBOR_ENTRIES) {
    throw invalid(`more than ${MAX_CBOR_ENTRIES} entries`, output);
  }
  if (output.path.length >= MAX_CBOR_DEPTH) {
    throw invalid(`more than ${MAX_CBOR_DEPTH} levels`, output);
  }
};

const writeMap = (output: Output, map: Readonly<Record<string, unknown>>): void => {
  const keys = Object.keys(map).filter((key) => map[key] !== undefined);
  assertSize(output, keys.length);
  sortKeys(keys);
  writeHead(output, MAP, keys.length);
  for (const key of keys) {
    output.path.push(key);
    if (key.length > MAX_CBOR_KEY_LENGTH / 3 && encoder.encode(key).length > MAX_CBOR_KEY_LENGTH) {
      throw invalid(`a map key of more than ${MAX_CBOR_KEY_LENGTH} bytes`, output);
    }
    writeText(output, key);
    writeValue(output, map[key]);
    output.path.pop();
  }
};

const writeArray = (output: Output, array: readonly unknown[]): void => {
  const count = array.length;
  assertSize(output, count);
  writeHead(output, ARRAY, count);
  // By index, as a hole is passed over by nothing else.
  for (let i = 0; i < count; i++) {
    output.path.push(i);
    writeValue(output, array[i]);
    output.path.pop();
  }
};

const writeObject = (output: Output, value: object): void => {
  if (Array.isArray(value)) {
    writeArray(output, value);
  } else if (isBytes(value)) {
    writeBytes(output, BYTES, value);
  } else {
    // Before maps: a CID that came through `structuredClone` has lost its class.
    const cid = asCid(value);
    if (cid !== undefined) {
      writeLink(output, cid);
    } else if (isPlainMap(value)) {
      writeMap(output, value);
    } else {
      throw invalid('an object that is no plain map', output);
    }
  }
};

const writeValue = (output: Output, value: unknown): void => {
  switch (typeof value) {
    case 'string':
      writeText(output, value);
      return;
    case 'number':
    case 'bigint':
      writeInteger(output, value);
      return;
    case 'object':
      if (value !== null) {
        writeObject(output, value);
        return;
      }
      break;
    case 'boolean':
      break;
    default:
      throw invalid(`a value of type ${typeof value}`, output);
  }
  reserve(output, 0);
  output.bytes[output.at++] = value === null ? CBOR_NULL : value === true ? CBOR_TRUE : CBOR_FALSE;
};

/**
 * The only DAG-CBOR encoding of a value of the data model; {@link decodeCbor} takes all of what this answers. A map's
 * member that is `undefined` is left out; a `bigint` is written when a number can hold it.
 * @throws {RepoError} `InvalidRecord`, with the path of what is no value of the data model.
 */
export const encodeCbor = (value: unknown): Bytes => {
  const output: Output = { bytes: scratch ?? new Uint8Array(SCRATCH_SIZE), at: 0, path: [] };
  // Taken while it is in use: a getter of the value may come back here.
  scratch = undefined;
  writeValue(output, value);
  if (output.bytes.length === SCRATCH_SIZE) {
    scratch = output.bytes;
  }
  const bytes = output.bytes.slice(0, output.at);
  if (hasTooManyValues(bytes)) {
    throw invalid(`more than ${MAX_CBOR_VALUES} values`, output);
  }
  return bytes;
};
