/**
 * Rows out of the pages of an SQLite file, whatever has become of its tree of pages: each leaf is read by itself, so that
 * one that nothing leads to any more gives its rows as well. What the rows say is for the reader to judge.
 * https://sqlite.org/fileformat2.html
 */
import type { Bytes } from '../../core/bytes.ts';

/** One page by its number, from 1; `undefined` when the file has none of that number. */
export type ReadPage = (number: number) => Uint8Array | undefined;

/** A row of a table of keys and values. */
export interface FoundRow {
  readonly key: string;
  readonly value: Bytes;
}

const TABLE_LEAF = 0x0d;
/** Of the header of a leaf. */
const LEAF_HEADER = 8;
/** The first page begins with the header of the file. */
const FILE_HEADER = 100;
/** The largest block there is, and what belongs to its row: longer ones are none. */
const MAX_PAYLOAD = 8 * 1024 * 1024;
/** Serial types of texts and blobs begin here: even ones are blobs. */
const FIRST_LENGTH_TYPE = 12;

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Varint {
  readonly value: number;
  readonly end: number;
}

/** At most nine bytes, the last of which counts whole. Larger than a safe integer is `undefined`: nothing here is that long. */
const readVarint = (bytes: Uint8Array, at: number): Varint | undefined => {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) {
      return undefined;
    }
    if (i === 8) {
      value = value * 256 + byte;
      return { value, end: at + 9 };
    }
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      return { value, end: at + i + 1 };
    }
  }
  return undefined;
};

/** How much of a payload of a table's row lies in its leaf. */
const localLength = (payload: number, usable: number): number => {
  const most = usable - 35;
  if (payload <= most) {
    return payload;
  }
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((payload - least) % (usable - 4));
  return fitting <= most ? fitting : least;
};

/** The payload, its rest out of the chain of overflow pages; `undefined` when the chain breaks. */
const readPayload = (readPage: ReadPage, leaf: Uint8Array, at: number, length: number, usable: number): Bytes | undefined => {
  const local = localLength(length, usable);
  if (at + local + (local < length ? 4 : 0) > usable) {
    return undefined;
  }
  const payload = new Uint8Array(length);
  payload.set(leaf.subarray(at, at + local));
  let next = local < length ? uint32(leaf, at + local) : 0;
  for (let filled = local; filled < length; ) {
    const page = next === 0 ? undefined : readPage(next);
    if (page === undefined) {
      return undefined;
    }
    const piece = page.subarray(4, Math.min(usable, 4 + length - filled));
    payload.set(piece, filled);
    filled += piece.length;
    next = uint32(page, 0);
  }
  return payload;
};

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const uint32 = (bytes: Uint8Array, at: number): number => uint16(bytes, at) * 65536 + uint16(bytes, at + 2);

/** A record of two columns, the first of them a text and the second a blob or a text. */
const rowOf = (payload: Bytes): FoundRow | undefined => {
  const header = readVarint(payload, 0);
  const keyType = header && readVarint(payload, header.end);
  const valueType = keyType && readVarint(payload, keyType.end);
  if (valueType === undefined || valueType.end !== header!.value) {
    return undefined;
  }
  const isText = keyType!.value > FIRST_LENGTH_TYPE && keyType!.value % 2 === 1;
  if (!isText || valueType.value < FIRST_LENGTH_TYPE) {
    return undefined;
  }
  const start = header!.value;
  const middle = start + (keyType!.value - 13) / 2;
  const end = middle + Math.floor((valueType.value - FIRST_LENGTH_TYPE) / 2);
  if (end !== payload.length) {
    return undefined;
  }
  try {
    return { key: decoder.decode(payload.subarray(start, middle)), value: payload.slice(middle, end) };
  } catch {
    // Not UTF-8: what was a key is none any more.
    return undefined;
  }
};

/**
 * The rows of one page, if it is a leaf of a table.
 * @param usable Bytes of a page that SQLite uses: its size, less what the file reserves.
 */
export function* rowsOfPage(readPage: ReadPage, number: number, usable: number): Generator<FoundRow> {
  const page = readPage(number);
  const start = number === 1 ? FILE_HEADER : 0;
  if (page === undefined || page[start] !== TABLE_LEAF) {
    return;
  }
  const cells = uint16(page, start + 3);
  const pointers = start + LEAF_HEADER;
  for (let i = 0; i < cells && pointers + 2 * i + 1 < usable; i++) {
    const length = readVarint(page, uint16(page, pointers + 2 * i));
    const rowid = length && readVarint(page, length.end);
    if (rowid === undefined || length!.value > MAX_PAYLOAD) {
      continue;
    }
    const payload = readPayload(readPage, page, rowid.end, length!.value, usable);
    const row = payload && rowOf(payload);
    if (row !== undefined) {
      yield row;
    }
  }
}
