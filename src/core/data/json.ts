/**
 * Converts values of the data model to their JSON form and back: a link is `{ "$link": "bafy…" }`, bytes are
 * `{ "$bytes": "AAEC" }` (base64 without padding), and a blob is a map.
 *
 * https://atproto.com/specs/data-model#json-representation
 */
import { base64 } from 'multiformats/bases/base64';
import { decodeBase64 } from './base64.ts';
import type { Bytes } from './bytes.ts';
import { MAX_CBOR_DEPTH } from './cbor-check.ts';
import type { CID } from './cid.ts';
import { asCid, cidTextToBytes, cidToText, decodeCid } from './cid.ts';
import { createMap, isPlainMap } from './plain-map.ts';
import { assertMapFields } from './record-fields.ts';
import { bytesFault, classFault, linkFault, numberFault, valueFault } from './value-fault.ts';
import { isBytes } from './platform-values.ts';

/** A JSON value, as of `JSON.parse`. */
export type JsonValue = boolean | number | string | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The path from the top of a value to the current one. */
type Path = (string | number)[];

/** Converts values that are equal in both forms: `null`, booleans, texts and safe integers. */
const scalarOf = (value: unknown, path: Path): boolean | number | string | null => {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'bigint':
    case 'number': {
      const integer = Number(value);
      if (!Number.isSafeInteger(integer)) {
        throw numberFault(value, path);
      }
      // Converts -0 to 0, because the encoding has no -0.
      return integer + 0;
    }
    case 'string':
      if (!value.isWellFormed()) {
        throw valueFault('a text with a lone surrogate', path, 'remove the surrogate', value);
      }
      return value;
    default:
      if (value !== null) {
        throw valueFault(`a value of type ${typeof value}`, path, 'remove it, or use null');
      }
      return null;
  }
};

const assertLevel = (path: Path): void => {
  if (path.length >= MAX_CBOR_DEPTH) {
    throw valueFault(`more than ${MAX_CBOR_DEPTH} levels`, path, 'nest it less, without cycles');
  }
};

/** Converts every entry of an array. */
const mapArray = <T>(array: readonly unknown[], path: Path, convert: (value: unknown, path: Path) => T): T[] => {
  assertLevel(path);
  // By length, because `map` would keep holes.
  return Array.from(array, (entry, i) => {
    path.push(i);
    const converted = convert(entry, path);
    path.pop();
    return converted;
  });
};

/** Converts every member of a map that is not `undefined`. */
const mapMap = <T>(map: object, path: Path, convert: (value: unknown, path: Path) => T): Record<string, T> => {
  assertLevel(path);
  const converted = createMap() as Record<string, T>;
  for (const [key, value] of Object.entries(map)) {
    path.push(key);
    if (!key.isWellFormed()) {
      throw valueFault('a key with a lone surrogate', path, 'remove the surrogate', key);
    }
    if (value !== undefined) {
      converted[key] = convert(value, path);
    }
    path.pop();
  }
  return converted;
};

const valueToJson = (value: unknown, path: Path): JsonValue => {
  if (typeof value !== 'object' || value === null) {
    return scalarOf(value, path);
  }
  if (Array.isArray(value)) {
    return mapArray(value, path, valueToJson);
  }
  if (isBytes(value)) {
    return { $bytes: base64.baseEncode(value) };
  }
  const cid = asCid(value);
  if (cid !== undefined) {
    return { $link: cidToText(cid) };
  }
  if (!isPlainMap(value)) {
    throw classFault(value, path);
  }
  if ('$link' in value || '$bytes' in value) {
    throw valueFault('a map with the key $link or $bytes', path, 'rename the key: such a map has no JSON form');
  }
  return mapMap(value, path, valueToJson);
};

/**
 * Returns the JSON form of a value of the data model, in maps without a prototype. {@link fromJson} converts it back.
 * Does not check the fields: an incomplete blob or an empty `$type` is converted unchanged.
 * @throws {RepoError} `InvalidRecord`, with the path of a value without a JSON form: one that is not in the data model,
 *   or a map with a key `$link` or `$bytes`.
 */
export const toJson = (value: unknown): JsonValue => valueToJson(value, []);

const linkOf = (text: unknown, path: Path): CID => {
  const bytes = typeof text === 'string' ? cidTextToBytes(text) : undefined;
  if (bytes === undefined) {
    throw linkFault(text, path);
  }
  return decodeCid(bytes);
};

const bytesOf = (text: unknown, path: Path): Bytes => {
  const bytes = typeof text === 'string' ? decodeBase64(text) : undefined;
  if (bytes === undefined) {
    throw bytesFault(text, path);
  }
  return bytes;
};

const valueFromJson = (json: unknown, path: Path): unknown => {
  if (typeof json !== 'object' || json === null) {
    return scalarOf(json, path);
  }
  if (Array.isArray(json)) {
    return mapArray(json, path, valueFromJson);
  }
  if (!isPlainMap(json)) {
    throw classFault(json, path);
  }
  const keys = Object.keys(json);
  const special = keys.length === 1 ? keys[0] : undefined;
  if (special === '$link') {
    return linkOf(json['$link'], path);
  }
  if (special === '$bytes') {
    return bytesOf(json['$bytes'], path);
  }
  const map = mapMap(json, path, valueFromJson);
  assertMapFields(map, path);
  return map;
};

/**
 * Returns the value of a JSON form. Maps have no prototype, so `__proto__` is an ordinary key.
 * @throws {RepoError} `InvalidRecord`, with the path of the fault: a float, an unsafe integer, an invalid `$link` or
 *   `$bytes` or one with other keys beside it, an incomplete blob, or an invalid `$type`.
 */
export const fromJson = (json: unknown): unknown => valueFromJson(json, []);
