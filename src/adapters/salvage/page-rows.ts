/**
 * Reads rows from the pages of an SQLite file, without its tree of pages: each leaf is read alone, so that unreachable
 * leaves are read too. The caller checks the rows.
 * https://sqlite.org/fileformat2.html
 */
import type { Bytes } from '../../core/data/bytes.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import { localLength, readVarint, uint16, uint32 } from '../sqlite/file-format/numbers.ts';

/** A view of the pages of a database. A page number maps to a page of the main file or of the WAL. */
export interface Pages {
  /** Returns the place of a page, from 1, or `undefined`. The same page always has the same place. */
  place(number: number): number | undefined;
  /** Returns `undefined` if the page is incomplete. */
  read(place: number): Uint8Array | undefined;
}

/** A row of a table of keys and values. */
export interface FoundRow {
  /** With U+FFFD for invalid UTF-8. */
  readonly key: string;
  readonly value: Bytes;
}

const TABLE_LEAF = 0x0d;
/** Bytes of the header of a leaf. */
const LEAF_HEADER = 8;
/** The first page begins with the header of the file. */
const FILE_HEADER = 100;
/** The largest payload of a row in bytes. A longer one cannot be a block. */
const MAX_PAYLOAD = 8 * 1024 * 1024;
/**
 * The largest number of cells whose chains share an overflow page. In a valid database it is one; free leaves, and
 * leaves that the WAL replaces, repeat some. Without this limit, a crafted file of cells that share one chain would be
 * read once per cell.
 */
const MAX_FOLLOWED = 16;
/**
 * The largest size of all cells of a page together, in pages. In a valid page it is one, and one damaged pointer adds
 * at most one.
 */
const MAX_CELLS_SIZE = 2;
/** Serial types from here on: even numbers are blobs, odd numbers are texts. */
const FIRST_LENGTH_TYPE = 12;

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/** Counts a use of an overflow page. Returns `false` after {@link MAX_FOLLOWED} uses. */
export type Follow = (place: number) => boolean;

/** Returns a counter for one pass over a file. */
export const createFollowing = (): Follow => {
  const counts = new Map<number, number>();
  return (place) => {
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    return count <= MAX_FOLLOWED;
  };
};

/**
 * Returns the payload with its overflow pages, or `undefined` if the chain is broken or links to itself.
 */
const readPayload = (
  pages: Pages,
  leaf: Uint8Array,
  { start, local, length }: Cell,
  usable: number,
  follow: Follow,
): Bytes | undefined => {
  const chunks: Uint8Array[] = [leaf.subarray(start, start + local)];
  const seen = new Set<number>();
  let next = local < length ? uint32(leaf, start + local) : 0;
  for (let filled = local; filled < length; ) {
    const place = next === 0 || seen.has(next) ? undefined : pages.place(next);
    const page = place === undefined || !follow(place) ? undefined : pages.read(place);
    if (page === undefined) {
      return undefined;
    }
    seen.add(next);
    const chunk = page.subarray(4, Math.min(usable, 4 + length - filled));
    chunks.push(chunk);
    filled += chunk.length;
    next = uint32(page, 0);
  }
  // Allocated only when all chunks exist, because a crafted length may be large.
  return concatBytes(chunks);
};

/** Parses a record of two columns: a text, and a blob or a text. */
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
  return { key: decoder.decode(payload.subarray(start, middle)), value: payload.slice(middle, end) };
};

/** The offset of a cell's payload in its leaf, its bytes in the leaf, and its whole length. */
interface Cell {
  readonly start: number;
  readonly local: number;
  readonly length: number;
}

const cellAt = (page: Uint8Array, at: number, usable: number): Cell | undefined => {
  const length = readVarint(page, at);
  const rowid = length && readVarint(page, length.end);
  if (rowid === undefined || length!.value > MAX_PAYLOAD) {
    return undefined;
  }
  const local = localLength(length!.value, usable);
  const end = rowid.end + local + (local < length!.value ? 4 : 0);
  return end > usable ? undefined : { start: rowid.end, local, length: length!.value };
};

/**
 * Yields the rows of a page, if it is a leaf of a table. The page size and `follow` limit the work, also for a crafted
 * page.
 * @param usable Bytes of a page that SQLite uses: the page size minus the reserved bytes.
 */
export function* rowsOfPage(pages: Pages, number: number, usable: number, follow: Follow): Generator<FoundRow> {
  const place = pages.place(number);
  const page = place === undefined ? undefined : pages.read(place);
  const start = number === 1 ? FILE_HEADER : 0;
  if (page === undefined || page[start] !== TABLE_LEAF) {
    return;
  }
  const cells = uint16(page, start + 3);
  const pointers = start + LEAF_HEADER;
  let room = MAX_CELLS_SIZE * usable;
  for (let i = 0; i < cells && pointers + 2 * i + 1 < usable; i++) {
    const cell = cellAt(page, uint16(page, pointers + 2 * i), usable);
    if (cell === undefined || cell.local > room) {
      continue;
    }
    room -= cell.local;
    const payload = readPayload(pages, page, cell, usable, follow);
    const row = payload && rowOf(payload);
    if (row !== undefined) {
      yield row;
    }
  }
}
