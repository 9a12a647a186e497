/**
 * Encodes values of the atproto data model as DAG-CBOR. `@ipld/dag-cbor` writes the bytes. A strict walk runs first,
 * because the library also encodes values that the data model forbids: floats, lone surrogates, other kinds of links,
 * dates and typed arrays.
 *
 * The walk copies the value, so that each getter runs once, and the library gets no class of another package.
 *
 * https://atproto.com/specs/data-model
 */
import { encode } from '@ipld/dag-cbor';
import type { Bytes } from './bytes.ts';
import { MAX_CBOR_DEPTH, MAX_CBOR_ENTRIES, MAX_CBOR_KEY_LENGTH, MAX_CBOR_VALUES } from './cbor-check.ts';
import type { CID } from './cid.ts';
import { CID_LENGTH, asCid, cidTextToBytes, decodeCid, isCidBytes } from './cid.ts';
import { decodeBase64 } from './base64.ts';
import type { ForeignValue } from './foreign-value.ts';
import { foreignValue } from './foreign-value.ts';
import type { PlainMap } from './plain-map.ts';
import { createMap, isPlainMap } from './plain-map.ts';
import { isBytes } from './platform-values.ts';
import { bytesFault, classFault, linkFault, numberFault, valueFault } from './value-fault.ts';

/** The state of one walk: the path from the top to the current value, and the number of values so far. */
interface Walk {
  readonly path: (string | number)[];
  values: number;
}

const encoder = /* @__PURE__ */ new TextEncoder();

/** Counts a value or a map key, so that a value that contains itself is rejected early. */
const count = (walk: Walk): void => {
  walk.values += 1;
  if (walk.values > MAX_CBOR_VALUES) {
    throw valueFault(`more than ${MAX_CBOR_VALUES} nested values`, [], 'split it into several records');
  }
};

const checkText = (walk: Walk, text: string): string => {
  if (!text.isWellFormed()) {
    throw valueFault('a text with a lone surrogate', walk.path, 'remove the surrogate', text);
  }
  return text;
};

const checkInteger = (walk: Walk, value: bigint | number): number => {
  const integer = Number(value);
  if (!Number.isSafeInteger(integer)) {
    throw numberFault(value, walk.path);
  }
  // The data model has one zero.
  return integer === 0 ? 0 : integer;
};

const checkLink = (walk: Walk, cid: CID): CID => {
  if (cid.bytes.length !== CID_LENGTH || !isCidBytes(cid.bytes)) {
    throw valueFault('an unsupported CID', walk.path, 'use a CIDv1 of dag-cbor or raw with SHA-256', String(cid));
  }
  return cid;
};

const checkSize = (walk: Walk, entries: number): void => {
  if (entries > MAX_CBOR_ENTRIES) {
    throw valueFault(`more than ${MAX_CBOR_ENTRIES} entries`, walk.path, 'split the array or map');
  }
  // This also rejects a value that contains itself.
  if (walk.path.length >= MAX_CBOR_DEPTH) {
    throw valueFault(`more than ${MAX_CBOR_DEPTH} levels`, walk.path, 'nest it less, without cycles');
  }
};

const checkKey = (walk: Walk, key: string): void => {
  if (key.length > MAX_CBOR_KEY_LENGTH / 3 && encoder.encode(key).length > MAX_CBOR_KEY_LENGTH) {
    throw valueFault(`a key of more than ${MAX_CBOR_KEY_LENGTH} bytes`, walk.path, 'use a shorter key');
  }
  checkText(walk, key);
};

/**
 * A map that the library does not mistake for a CID. The library rejects a `Map` with an empty key, which the data
 * model allows. It lists the keys first to check and then to write them, so the first list omits the empty key.
 */
class UnlinkedMap extends Map<string, unknown> {
  #checked = false;

  override keys(): MapIterator<string> {
    const keys = super.keys();
    if (this.#checked) {
      return keys;
    }
    this.#checked = true;
    return [...keys].filter((key) => key !== '').values();
  }
}

const copyMap = (walk: Walk, map: PlainMap): unknown => {
  // Each member is read once, because a getter may return another value the next time.
  const members = Object.keys(map)
    .map((key) => [key, map[key]] as const)
    .filter(([, value]) => value !== undefined);
  // The JSON form of a link or of bytes has one key. Other maps skip the check.
  const foreign = members.length === 1 && members[0]![0].startsWith('$') ? foreignValue(map) : undefined;
  if (foreign !== undefined) {
    return copyForeign(walk, foreign);
  }
  checkSize(walk, members.length);
  const copy = createMap();
  for (const [key, value] of members) {
    walk.path.push(key);
    count(walk);
    checkKey(walk, key);
    copy[key] = copyValue(walk, value);
    walk.path.pop();
  }
  // The library mistakes every object with this pair for a CID.
  const isLikeCid = copy['/'] !== undefined && copy['/'] === copy['bytes'];
  return isLikeCid ? new UnlinkedMap(Object.entries(copy)) : copy;
};

const copyArray = (walk: Walk, array: readonly unknown[]): readonly unknown[] => {
  checkSize(walk, array.length);
  const copy: unknown[] = [];
  // By index, because iteration methods skip holes, which the data model forbids.
  for (let i = 0; i < array.length; i++) {
    walk.path.push(i);
    copy.push(copyValue(walk, array[i]));
    walk.path.pop();
  }
  return copy;
};

const copyForeign = (walk: Walk, { link, bytes, blob }: ForeignValue): unknown => {
  if (link !== undefined) {
    const cid = cidTextToBytes(link);
    if (cid === undefined) {
      throw linkFault(link, walk.path);
    }
    return decodeCid(cid);
  }
  if (bytes !== undefined) {
    const decoded = decodeBase64(bytes);
    if (decoded === undefined) {
      throw bytesFault(bytes, walk.path);
    }
    return decoded;
  }
  return copyMap(walk, blob!);
};

const copyObject = (walk: Walk, value: object): unknown => {
  if (Array.isArray(value)) {
    return copyArray(walk, value);
  }
  if (isBytes(value)) {
    // A view of this realm's class, because the library does not accept bytes of another realm.
    return new Uint8Array(value.buffer, value.byteOffset, value.length);
  }
  // Before maps, because a CID after `structuredClone` has no class.
  const cid = asCid(value);
  if (cid !== undefined) {
    return checkLink(walk, cid);
  }
  if (isPlainMap(value)) {
    return copyMap(walk, value);
  }
  const foreign = foreignValue(value);
  if (foreign === undefined) {
    throw classFault(value, walk.path);
  }
  return copyForeign(walk, foreign);
};

const copyValue = (walk: Walk, value: unknown): unknown => {
  count(walk);
  switch (typeof value) {
    case 'string':
      return checkText(walk, value);
    case 'number':
    case 'bigint':
      return checkInteger(walk, value);
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : copyObject(walk, value);
    default:
      throw valueFault(`a value of type ${typeof value}`, walk.path, 'remove it, or use null');
  }
};

/**
 * Returns the only DAG-CBOR encoding of a value of the data model. `decodeCbor` accepts every result.
 * @param value Members of maps that are `undefined` are omitted. A `bigint` must be a safe integer.
 * @throws {RepoError} `InvalidRecord`, with the path of the fault.
 */
export const encodeCbor = (value: unknown): Bytes =>
  // A copy: the library returns views of larger buffers.
  new Uint8Array(encode(copyValue({ path: [], values: 0 }, value)));
