/**
 * The wire form of a node: the DAG-CBOR map `{ e: [{ k, p, t, v }], l }`, where `p` characters of the key before and `k`
 * make a key, `v` is its record, `t` the node to its right, and `l` the node left of all.
 * https://atproto.com/specs/repository#mst-structure
 *
 * Written and read straight from and to bytes: each node has exactly one form, so there is nothing to be general about,
 * and whatever is not that form is refused, not mended.
 */
import type { Bytes } from '../bytes.ts';
import { copyBytes } from '../bytes.ts';
import type { CidBytes } from '../cid.ts';
import { CID_LENGTH, CODEC_DAG_CBOR, isCidBytes } from '../cid.ts';
import { RepoError } from '../errors.ts';
import { MAX_KEY_LENGTH, commonPrefixLength, isTreeKey, layerOf } from './key.ts';
import type { Link, Node } from './node.ts';
import { MAX_NODE_ENTRIES, MAX_NODE_KEYS_SIZE, MAX_TREE_DEPTH } from './node.ts';

/** What a node's bytes say: everything but its layer. */
export type NodeContent = Omit<Node, 'layer'>;

const NULL = 0xf6;
const UNSIGNED = 0;
const BYTES = 2;
const ARRAY = 4;

// Map heads with their first name, the other names, and a CID's tag with its byte string and the zero before it.
const NODE_AND_E = [0xa2, 0x61, 0x65] as const;
const L = [0x61, 0x6c] as const;
const ENTRY_AND_K = [0xa4, 0x61, 0x6b] as const;
const P = [0x61, 0x70] as const;
const T = [0x61, 0x74] as const;
const V = [0x61, 0x76] as const;
const LINK = [0xd8, 0x2a, 0x58, 0x25, 0x00] as const;
const LINK_LENGTH = LINK.length + CID_LENGTH;

interface Cursor {
  readonly bytes: Uint8Array;
  /** CIDs are views of the bytes, not copies. */
  readonly views: boolean;
  at: number;
  /** The entry that is being read, for messages. */
  entry: number;
}

const malformed = (what: string): RepoError => new RepoError('Malformed', `not a tree node: ${what}`);

/** The message is put together here, so that reading what is sound makes no text. */
const malformedAt = ({ at, entry }: Cursor, what: string): RepoError => malformed(`${what}; entry=${entry} offset=${at}`);

const readToken = (cursor: Cursor, token: readonly number[], what: string): void => {
  for (let i = 0; i < token.length; i++) {
    if (cursor.bytes[cursor.at + i] !== token[i]) {
      throw malformedAt(cursor, what);
    }
  }
  cursor.at += token.length;
};

/** The number in a CBOR head. None that a node may have is above `limit`, which two bytes hold. */
const readNumber = (cursor: Cursor, major: number, limit: number, what: string): number => {
  const { bytes, at } = cursor;
  const head = bytes[at];
  if (head === undefined || head >> 5 !== major) {
    throw malformedAt(cursor, `${what} is missing or of another type`);
  }
  const info = head & 31;
  let value = info;
  cursor.at += 1;
  if (info >= 24) {
    // Beyond the end the bytes are undefined and the number NaN, which no comparison lets through.
    const wide = info === 25;
    value = wide ? bytes[at + 1]! * 256 + bytes[at + 2]! : bytes[at + 1]!;
    cursor.at += wide ? 2 : 1;
    if (info > 25 || !(value >= (wide ? 256 : 24))) {
      throw malformedAt(cursor, `${what} is cut off, too large or not in its shortest form`);
    }
  }
  if (value > limit) {
    throw malformedAt(cursor, `${what} is above ${limit}`);
  }
  return value;
};

const readCid = (cursor: Cursor, what: string): CidBytes => {
  readToken(cursor, LINK, what);
  const { bytes, at } = cursor;
  if (!isCidBytes(bytes, at)) {
    throw malformedAt(cursor, 'there is a link that is not a CIDv1 of dag-cbor or raw with SHA-256');
  }
  cursor.at += CID_LENGTH;
  const cid = bytes.subarray(at, cursor.at);
  return cursor.views ? (cid as CidBytes) : copyBytes(cid);
};

const readChild = (cursor: Cursor, what: string): Link | undefined => {
  if (cursor.bytes[cursor.at] === NULL) {
    cursor.at += 1;
    return undefined;
  }
  const cid = readCid(cursor, what);
  if (cid[1] !== CODEC_DAG_CBOR) {
    throw malformedAt(cursor, 'a child does not link to dag-cbor');
  }
  return { cid, node: undefined };
};

/** Any byte becomes a character of the same number; those that are not of a key fail the check of the key. */
const readKey = (cursor: Cursor, before: string): string => {
  readToken(cursor, ENTRY_AND_K, 'an entry is not a map that begins with k');
  const length = readNumber(cursor, BYTES, MAX_KEY_LENGTH, 'k');
  const start = cursor.at;
  const end = start + length;
  if (end > cursor.bytes.length) {
    throw malformedAt(cursor, 'k is cut off');
  }
  cursor.at = end;
  readToken(cursor, P, 'there is no p after k');
  const prefix = readNumber(cursor, UNSIGNED, MAX_KEY_LENGTH, 'p');
  if (prefix > before.length) {
    throw malformedAt(cursor, 'p is longer than the key before');
  }
  const suffix = String.fromCharCode.apply(null, cursor.bytes.subarray(start, end) as unknown as number[]);
  const next = suffix.charCodeAt(0);
  const turn = before.charCodeAt(prefix);
  if (next === turn) {
    throw malformedAt(cursor, 'p is not the whole common prefix');
  }
  // A key that begins with the whole key before comes after it; else the first character that differs decides.
  if (length === 0 || (prefix < before.length && next < turn)) {
    throw malformedAt(cursor, 'a key is not in order');
  }
  const key = before.slice(0, prefix) + suffix;
  if (!isTreeKey(key)) {
    throw malformedAt(cursor, `a key is not collection/rkey: ${JSON.stringify(key.slice(0, 80))}`);
  }
  return key;
};

/**
 * What a node's bytes say, when nothing is known about where it hangs.
 * @param cids Copies, unless nobody keeps them: a view holds on to the block, and to the file that the block came from.
 * @throws {RepoError} `Malformed`, naming what is wrong.
 */
export const decodeContent = (bytes: Uint8Array, cids: 'copies' | 'views' = 'copies'): NodeContent => {
  const cursor: Cursor = { bytes, views: cids === 'views', at: 0, entry: 0 };
  readToken(cursor, NODE_AND_E, 'the block is not a map of e and l');
  const count = readNumber(cursor, ARRAY, MAX_NODE_ENTRIES, 'e');
  const keys: string[] = [];
  const values: CidBytes[] = [];
  const children: (Link | undefined)[] = [undefined];
  let key = '';
  let keysSize = 0;
  for (; cursor.entry < count; cursor.entry++) {
    key = readKey(cursor, key);
    keys.push(key);
    keysSize += key.length;
    if (keysSize > MAX_NODE_KEYS_SIZE) {
      throw malformedAt(cursor, `its keys have together more than ${MAX_NODE_KEYS_SIZE} bytes`);
    }
    readToken(cursor, T, 'there is no t after p');
    children.push(readChild(cursor, 't is neither a link nor null'));
    readToken(cursor, V, 'there is no v after t');
    values.push(readCid(cursor, 'v is not a link'));
  }
  readToken(cursor, L, 'there is no l after e');
  children[0] = readChild(cursor, 'l is neither a link nor null');
  if (cursor.at !== bytes.length) {
    throw malformedAt(cursor, 'there are bytes after the end');
  }
  return { keys, values, children };
};

/**
 * A node from its bytes, of which it keeps no view.
 * @param layer As in {@link placeNode}.
 * @throws {RepoError} `Malformed`, naming what is wrong.
 */
export const decodeNode = (bytes: Uint8Array, layer?: number): Node => {
  const content = decodeContent(bytes);
  const [first] = content.keys;
  return placeNode(content, layer, first === undefined ? undefined : layerOf(first));
};

/**
 * A node from what its bytes say.
 * @param layer Where the node hangs, one less than its parent's. Left out for a root, which tells it by its keys; a root
 *   without keys over other nodes is put on layer {@link MAX_TREE_DEPTH}, which no child of it can confirm.
 * @param own The layer of its first key, if it has keys.
 * @throws {RepoError} `Malformed`, naming what is wrong.
 */
export const placeNode = (content: NodeContent, layer: number | undefined, own: number | undefined): Node => {
  const { keys, values, children } = content;
  const [first] = keys;
  if (first === undefined || own === undefined) {
    return { layer: layerWithoutKeys(content, layer), keys, values, children };
  }
  if (layer !== undefined && layer !== own) {
    throw malformed(`it hangs on layer ${layer} with a key of layer ${own}; key=${first}`);
  }
  if (own === 0 && children.some((child) => child !== undefined)) {
    throw malformed(`it is on layer 0 and has children; key=${first}`);
  }
  return { layer: own, keys, values, children };
};

/** Without keys only the parent tells the layer. Where nobody asked the parent it is the highest, so that a child contradicts. */
const layerWithoutKeys = (content: NodeContent, layer: number | undefined): number => {
  const empty = content.children[0] === undefined;
  if (layer === undefined) {
    return empty ? 0 : MAX_TREE_DEPTH;
  }
  if (empty || layer <= 0) {
    throw malformed(`it has no keys, ${empty ? 'nothing below it, and is not a root' : 'and no layer below it'}; layer=${layer}`);
  }
  return layer;
};

const numberLength = (value: number): number => (value < 24 ? 1 : value < 256 ? 2 : 3);

const writeToken = (bytes: Uint8Array, at: number, token: readonly number[]): number => {
  for (let i = 0; i < token.length; i++) {
    bytes[at + i] = token[i]!;
  }
  return at + token.length;
};

const writeNumber = (bytes: Uint8Array, at: number, major: number, value: number): number => {
  const head = major << 5;
  if (value < 24) {
    bytes[at] = head | value;
    return at + 1;
  }
  if (value < 256) {
    bytes[at] = head | 24;
    bytes[at + 1] = value;
    return at + 2;
  }
  bytes[at] = head | 25;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value & 0xff;
  return at + 3;
};

const writeCid = (bytes: Uint8Array, at: number, cid: CidBytes): number => {
  const start = writeToken(bytes, at, LINK);
  bytes.set(cid, start);
  return start + CID_LENGTH;
};

const writeChild = (bytes: Uint8Array, at: number, child: Link | undefined): number => {
  if (child === undefined) {
    bytes[at] = NULL;
    return at + 1;
  }
  if (child.cid === undefined) {
    throw new TypeError('a node is encoded after its children; this one has a child without a CID');
  }
  return writeCid(bytes, at, child.cid);
};

/**
 * The bytes of a node.
 * @throws {TypeError} when a child has no CID yet.
 */
export const encodeNode = ({ keys, values, children }: NodeContent): Bytes => {
  const prefixes: number[] = [];
  let length = NODE_AND_E.length + numberLength(keys.length) + L.length + 1;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const prefix = i === 0 ? 0 : commonPrefixLength(keys[i - 1]!, key);
    const suffix = key.length - prefix;
    prefixes.push(prefix);
    length += ENTRY_AND_K.length + numberLength(suffix) + suffix;
    length += P.length + numberLength(prefix) + T.length + 1 + V.length + LINK_LENGTH;
  }
  for (const child of children) {
    length += child === undefined ? 0 : LINK_LENGTH - 1;
  }

  const bytes = new Uint8Array(length);
  let at = writeToken(bytes, 0, NODE_AND_E);
  at = writeNumber(bytes, at, ARRAY, keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const prefix = prefixes[i]!;
    at = writeToken(bytes, at, ENTRY_AND_K);
    at = writeNumber(bytes, at, BYTES, key.length - prefix);
    for (let j = prefix; j < key.length; j++) {
      bytes[at++] = key.charCodeAt(j);
    }
    at = writeToken(bytes, at, P);
    at = writeNumber(bytes, at, UNSIGNED, prefix);
    at = writeToken(bytes, at, T);
    at = writeChild(bytes, at, children[i + 1]);
    at = writeToken(bytes, at, V);
    at = writeCid(bytes, at, values[i]!);
  }
  at = writeToken(bytes, at, L);
  writeChild(bytes, at, children[0]);
  return bytes;
};
