/**
 * Encodes and decodes nodes: the DAG-CBOR map `{ e: [{ k, p, t, v }], l }`. A key is the first `p` characters of the
 * previous key, then `k`. `v` is its record, `t` the child to its right, `l` the leftmost child.
 * https://atproto.com/specs/repository#mst-structure
 *
 * Works directly on bytes, because each node has exactly one encoding. The decoder rejects all others.
 */
import type { Bytes } from '../data/bytes.ts';
import { asciiText, copyBytes } from '../data/bytes.ts';
import { byteAt } from '../data/cbor-check.ts';
import type { CidBytes } from '../data/cid.ts';
import { CID_LENGTH, CODEC_DAG_CBOR, isCidBytes } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import { MAX_KEY_LENGTH, commonPrefixLength, isTreeKey } from './key.ts';
import type { Link, NodeContent } from './node.ts';
import { MAX_NODE_ENTRIES, MAX_NODE_KEYS_SIZE } from './node.ts';

/** What to do about an invalid node: a block cannot be mended, because its CID is the hash of its bytes. */
export const GET_AGAIN = 'Get the CAR again, or run repair';

const NULL = 0xf6;
const UNSIGNED = 0;
const BYTES = 2;
const ARRAY = 4;

const MAP_OF_TWO = 0xa2;
const MAP_OF_FOUR = 0xa4;
/** The CBOR head of a text of one letter. All field names have one letter. */
const LETTER = 0x61;
const SLASH = 0x2f;
const NAME_LENGTH = 2;
const E = 0x65;
const K = 0x6b;
const L = 0x6c;
const P = 0x70;
const T = 0x74;
const V = 0x76;
/** Bytes before a CID: its tag, the head of its byte string, and a zero. */
const LINK_HEAD_LENGTH = 5;
const LINK_LENGTH = LINK_HEAD_LENGTH + CID_LENGTH;
/** Most bytes outside of entries: the map, its names, the number of entries and the left child. */
const NODE_ROOM = 1 + 2 * NAME_LENGTH + 3 + LINK_LENGTH;
/** Most bytes of an entry without its key: the map, its names, two numbers, a child and a record. */
const ENTRY_ROOM = 1 + 4 * NAME_LENGTH + 2 * 3 + 2 * LINK_LENGTH;

interface Cursor {
  readonly bytes: Uint8Array;
  /** Whether CIDs are views of the bytes instead of copies. */
  readonly views: boolean;
  at: number;
  /** The current entry, for messages. */
  entry: number;
  /** The index of the slash in the previous key. */
  slash: number;
}

/** Builds the message only on an error, so that decoding a valid node makes no texts. */
const malformedAt = ({ bytes, at, entry }: Cursor, what: string): RepoError =>
  new RepoError('Malformed', `not a tree node: ${what}. ${GET_AGAIN}; entry=${entry} ${byteAt(bytes, at)}`);

const readHead = (cursor: Cursor, head: number, what: string): void => {
  if (cursor.bytes[cursor.at] !== head) {
    throw malformedAt(cursor, what);
  }
  cursor.at += 1;
};

const readName = (cursor: Cursor, letter: number, what: string): void => {
  const { bytes, at } = cursor;
  if (bytes[at] !== LETTER || bytes[at + 1] !== letter) {
    throw malformedAt(cursor, what);
  }
  cursor.at = at + NAME_LENGTH;
};

/** Reads the number of a CBOR head. `limit` fits two bytes. */
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
    // Past the end, the bytes are undefined and the number is NaN, which fails all comparisons.
    const wide = info === 25;
    value = wide ? bytes[at + 1]! * 256 + bytes[at + 2]! : bytes[at + 1]!;
    cursor.at += wide ? 2 : 1;
    if (info > 25 || !(value >= (wide ? 256 : 24))) {
      throw malformedAt(cursor, `${what} is truncated, too large or not in its shortest form`);
    }
  }
  if (value > limit) {
    throw malformedAt(cursor, `${what} is ${value}, and the limit is ${limit}`);
  }
  return value;
};

const readCid = (cursor: Cursor, what: string): CidBytes => {
  const { bytes, at } = cursor;
  if (
    bytes[at] !== 0xd8 ||
    bytes[at + 1] !== 0x2a ||
    bytes[at + 2] !== 0x58 ||
    bytes[at + 3] !== 0x25 ||
    bytes[at + 4] !== 0
  ) {
    throw malformedAt(cursor, what);
  }
  const start = at + LINK_HEAD_LENGTH;
  cursor.at = start;
  if (!isCidBytes(bytes, start)) {
    throw malformedAt(cursor, 'a link is not a CIDv1 of dag-cbor or raw with SHA-256');
  }
  cursor.at = start + CID_LENGTH;
  const cid = bytes.subarray(start, cursor.at);
  return cursor.views ? (cid as CidBytes) : copyBytes(cid);
};

const readChild = (cursor: Cursor, what: string): Link | undefined => {
  if (cursor.bytes[cursor.at] === NULL) {
    cursor.at += 1;
    return undefined;
  }
  const cid = readCid(cursor, what);
  if (cid[1] !== CODEC_DAG_CBOR) {
    throw malformedAt(cursor, `the link to a child has the codec 0x${cid[1]!.toString(16)}, expected dag-cbor (0x71)`);
  }
  return { cid, node: undefined };
};

/** Classes of bytes in a key: 1 for a character of a part, 2 for the slash, 0 for others. */
const KEY_BYTES: Uint8Array = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === SLASH ? 2 : /[A-Za-z0-9._~:-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/**
 * Returns the index of the slash in a key, of which the first `prefix` characters are known. Returns -1 if the key
 * needs the check by {@link isTreeKey}: invalid keys, and keys with a part of one or two characters.
 */
const plainSlash = (bytes: Uint8Array, start: number, end: number, prefix: number, before: number): number => {
  let slash = before < prefix ? before : -1;
  for (let at = start; at < end; at++) {
    const kind = KEY_BYTES[bytes[at]!];
    if (kind === 0 || (kind === 2 && slash >= 0)) {
      return -1;
    }
    if (kind === 2) {
      slash = prefix + at - start;
    }
  }
  const size = prefix + end - start;
  return slash > 2 && size - slash > 3 && size <= MAX_KEY_LENGTH ? slash : -1;
};

const readKey = (cursor: Cursor, before: string): string => {
  readHead(cursor, MAP_OF_FOUR, 'an entry is not a map of four fields');
  readName(cursor, K, 'an entry does not begin with k');
  const length = readNumber(cursor, BYTES, MAX_KEY_LENGTH, 'k');
  const start = cursor.at;
  const end = start + length;
  if (end > cursor.bytes.length) {
    throw malformedAt(cursor, `k has ${length} bytes and is truncated`);
  }
  cursor.at = end;
  readName(cursor, P, 'there is no p after k');
  const prefix = readNumber(cursor, UNSIGNED, MAX_KEY_LENGTH, 'p');
  if (prefix > before.length) {
    throw malformedAt(cursor, `p is ${prefix}, longer than the previous key ${JSON.stringify(before)}`);
  }
  const next = length === 0 ? -1 : cursor.bytes[start]!;
  const turn = before.charCodeAt(prefix);
  if (next === turn) {
    throw malformedAt(
      cursor,
      `p is ${prefix}, and the common prefix with the previous key ${JSON.stringify(before)} is longer`,
    );
  }
  // A key that extends the previous key sorts after it. Otherwise the first different character decides.
  if (length === 0 || (prefix < before.length && next < turn)) {
    throw malformedAt(cursor, `a key is not in order: it does not sort after ${JSON.stringify(before)}`);
  }
  // Invalid characters fail the check below.
  const key = before.slice(0, prefix) + asciiText(cursor.bytes, start, end);
  cursor.slash = plainSlash(cursor.bytes, start, end, prefix, cursor.slash);
  if (cursor.slash < 0) {
    if (!isTreeKey(key)) {
      throw malformedAt(cursor, `a key is not collection/rkey: ${JSON.stringify(key.slice(0, 80))}`);
    }
    cursor.slash = key.indexOf('/');
  }
  return key;
};

/** Returns whether a block starts like a node. Other blocks that do are maps of two fields with `e` first. */
export const beginsAsNode = (bytes: Uint8Array): boolean =>
  bytes[0] === MAP_OF_TWO && bytes[1] === LETTER && bytes[2] === E;

/**
 * Decodes a node whose layer is not known.
 * @param cids Use `views` only for CIDs that are not kept: a view keeps the block, and the CAR that contains it, in
 *   memory.
 * @throws {RepoError} `Malformed`; the message describes the fault.
 */
export const decodeContent = (bytes: Uint8Array, cids: 'copies' | 'views' = 'copies'): NodeContent => {
  const cursor: Cursor = { bytes, views: cids === 'views', at: 0, entry: 0, slash: -1 };
  readHead(cursor, MAP_OF_TWO, 'the block is not a map of two fields');
  readName(cursor, E, 'the block does not begin with e');
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
      throw malformedAt(cursor, `its keys have ${keysSize} bytes together, and the limit is ${MAX_NODE_KEYS_SIZE}`);
    }
    readName(cursor, T, 'there is no t after p');
    children.push(readChild(cursor, 't is neither a link nor null'));
    readName(cursor, V, 'there is no v after t');
    values.push(readCid(cursor, 'v is not a link'));
  }
  readName(cursor, L, 'there is no l after e');
  children[0] = readChild(cursor, 'l is neither a link nor null');
  if (cursor.at !== bytes.length) {
    throw malformedAt(cursor, 'there are bytes after the end');
  }
  return { keys, values, children };
};

const writeName = (bytes: Uint8Array, at: number, letter: number): number => {
  bytes[at] = LETTER;
  bytes[at + 1] = letter;
  return at + NAME_LENGTH;
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
  bytes[at] = 0xd8;
  bytes[at + 1] = 0x2a;
  bytes[at + 2] = 0x58;
  bytes[at + 3] = 0x25;
  bytes[at + 4] = 0;
  bytes.set(cid, at + LINK_HEAD_LENGTH);
  return at + LINK_LENGTH;
};

const writeChild = (bytes: Uint8Array, at: number, child: Link | undefined): number => {
  if (child === undefined) {
    bytes[at] = NULL;
    return at + 1;
  }
  if (child.cid === undefined) {
    throw new TypeError('cannot encode a node with a child without a CID: seal the tree first');
  }
  return writeCid(bytes, at, child.cid);
};

/** Returns an upper bound of a node's size in bytes. */
export const roomFor = ({ keys }: NodeContent): number => {
  let room = NODE_ROOM + keys.length * ENTRY_ROOM;
  for (const key of keys) {
    room += key.length;
  }
  return room;
};

/**
 * Writes a node at `start`, where {@link roomFor} bytes are free. Returns the end offset.
 * @throws {TypeError} when a child has no CID yet.
 */
export const writeNode = ({ keys, values, children }: NodeContent, bytes: Uint8Array, start: number): number => {
  bytes[start] = MAP_OF_TWO;
  let at = writeNumber(bytes, writeName(bytes, start + 1, E), ARRAY, keys.length);
  let before = '';
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const prefix = commonPrefixLength(before, key);
    bytes[at] = MAP_OF_FOUR;
    at = writeNumber(bytes, writeName(bytes, at + 1, K), BYTES, key.length - prefix);
    for (let j = prefix; j < key.length; j++) {
      bytes[at++] = key.charCodeAt(j);
    }
    at = writeNumber(bytes, writeName(bytes, at, P), UNSIGNED, prefix);
    at = writeChild(bytes, writeName(bytes, at, T), children[i + 1]);
    at = writeCid(bytes, writeName(bytes, at, V), values[i]!);
    before = key;
  }
  return writeChild(bytes, writeName(bytes, at, L), children[0]);
};

/**
 * Encodes a node.
 * @throws {TypeError} when a child has no CID yet.
 */
export const encodeNode = (content: NodeContent): Bytes => {
  const bytes = new Uint8Array(roomFor(content));
  return bytes.slice(0, writeNode(content, bytes, 0));
};
