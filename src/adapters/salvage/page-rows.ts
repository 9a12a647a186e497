/**
 * Rows out of the pages of an SQLite file, whatever has become of its tree of pages: each leaf is read by itself, so
 * that one that nothing leads to any more gives its rows as well. What the rows say is for the reader to judge.
 * https://sqlite.org/fileformat2.html
 */
import type { Bytes } from '../../core/data/bytes.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import { localLength, readVarint, uint16, uint32 } from '../sqlite/file-format/numbers.ts';

/** The pages of a database, as one looks at them: a number may stand for a page of the file or for one of its log. */
export interface Pages {
  /** Where the page of a number, from 1, lies: never in two places what is in one. `undefined` when there is none. */
  place(number: number): number | undefined;
  /** `undefined` when not all of it is there. */
  read(place: number): Uint8Array | undefined;
}

/** A row of a table of keys and values. */
export interface FoundRow {
  /** With U+FFFD in the place of what is no UTF-8. */
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
/**
 * How many cells may lead through the same overflow page. A sound database has one; leaves that are free, or that the
 * log has replaced, repeat some. Without an end to it, a file of cells that share one chain would be read as often as
 * it has cells.
 */
const MAX_FOLLOWED = 16;
/**
 * What the cells of a page may take together, in pages: in a sound one they take no more than it has, and one damaged
 * pointer adds no more.
 */
const MAX_CELLS_SIZE = 2;
/** Serial types of texts and blobs begin here: even ones are blobs. */
const FIRST_LENGTH_TYPE = 12;

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/** Whether one more cell may lead through an overflow page; counts it. */
export type Follow = (place: number) => boolean;

/** For one pass over a file. */
export const createFollowing = (): Follow => {
  const counts = new Map<number, number>();
  return (place) => {
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    return count <= MAX_FOLLOWED;
  };
};

/**
 * The payload, its rest out of the chain of overflow pages; `undefined` when the chain breaks, or leads back to itself.
 */
const readPayload = (
  pages: Pages,
  leaf: Uint8Array,
  { start, local, length }: Cell,
  usable: number,
  follow: Follow,
): Bytes | undefined => {
  const pieces: Uint8Array[] = [leaf.subarray(start, start + local)];
  const seen = new Set<number>();
  let next = local < length ? uint32(leaf, start + local) : 0;
  for (let filled = local; filled < length; ) {
    const place = next === 0 || seen.has(next) ? undefined : pages.place(next);
    const page = place === undefined || !follow(place) ? undefined : pages.read(place);
    if (page === undefined) {
      return undefined;
    }
    seen.add(next);
    const piece = page.subarray(4, Math.min(usable, 4 + length - filled));
    pieces.push(piece);
    filled += piece.length;
    next = uint32(page, 0);
  }
  // Only now that all of it is there: a length costs nothing to claim.
  return concatBytes(pieces);
};

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
  return { key: decoder.decode(payload.subarray(start, middle)), value: payload.slice(middle, end) };
};

/** Where a cell's payload begins in its leaf, how much of it lies there, and how long it is. */
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
 * The rows of one page, if it is a leaf of a table. However the page was made, the work is bounded by its size and by
 * what `follow` allows.
 * @param usable Bytes of a page that SQLite uses: its size, less what the file reserves.
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
