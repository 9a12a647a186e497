/**
 * The rows of `sqlite_schema`, read page by page before SQLite runs. It follows the tree as SQLite does, and refuses
 * what SQLite would write in no file: what is accepted here is what SQLite will read.
 */
import { concatBytes } from '../../../core/data/bytes.ts';
import { RepoError } from '../../../core/errors.ts';
import type { DatabasePages } from './database-pages.ts';
import { HEADER_LENGTH } from './database-pages.ts';
import type { Varint } from './numbers.ts';
import { localLength, readVarint, uint16, uint32 } from './numbers.ts';

/** One row of `sqlite_schema`: a table, an index, a view or a trigger. */
export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  /** The table that an index or a trigger is of; else the name again. */
  readonly table: string;
  /** `undefined` for an automatic index. */
  readonly sql: string | undefined;
}

/** Tables, indexes, views and triggers. A repository has eight. */
export const MAX_SCHEMA_OBJECTS: number = 500;
/** Bytes of one row of the schema. */
export const MAX_SCHEMA_ROW: number = 32 * 1024;
/** Bytes of all rows of the schema together. */
export const MAX_SCHEMA_SIZE: number = 256 * 1024;
/** Pages of the schema, overflow pages among them. A schema of the largest size fits with pages of 512 bytes. */
const MAX_PAGES = 2000;
/** SQLite's own limit. */
const MAX_DEPTH = 20;

const TABLE_INTERIOR = 0x05;
const TABLE_LEAF = 0x0d;
const INTERIOR_HEADER = 12;
const LEAF_HEADER = 8;
/** Bytes of the shortest cell. */
const LEAST_CELL = 4;
/** A longer one is of no row that is read here. */
const MAX_LENGTH_VARINT = 4;

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const corrupt = (what: string): RepoError => new RepoError('Corrupt', `the schema of the database is damaged: ${what}`);

const tooLarge = (what: string): RepoError =>
  new RepoError('Corrupt', `the schema of the database is larger than that of any repository: ${what}`);

const lengthAt = (bytes: Uint8Array, at: number): Varint => {
  const length = readVarint(bytes, at);
  if (length === undefined || length.end - at > MAX_LENGTH_VARINT) {
    throw tooLarge(`a row, a text or a header has no length that is possible`);
  }
  return length;
};

/** The columns are type, name, tbl_name, rootpage and sql. */
const COLUMNS = 5;
const ROOT_PAGE = 3;
const SQL = 4;
/** Serial types: texts are the odd numbers from here on. */
const FIRST_TEXT = 13;
/** By the serial types of integers, their bytes. */
const INTEGER_LENGTHS: readonly (number | undefined)[] = [undefined, 1, 2, 3, 4, 6, 8, undefined, 0, 0];

const textOf = (bytes: Uint8Array): string => {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new RepoError('Corrupt', 'the schema of the database is damaged: a text is not UTF-8', { cause });
  }
  if (text.includes('\0')) {
    // SQLite would read as far as there, and the check would read on.
    throw corrupt('a text holds a zero byte');
  }
  return text;
};

/** The bytes of a column of this serial type; `undefined` where SQLite writes another type. */
const lengthOfColumn = (column: number, type: number): number | undefined => {
  if (column === ROOT_PAGE) {
    return INTEGER_LENGTHS[type];
  }
  if (column === SQL && type === 0) {
    return 0;
  }
  return type >= FIRST_TEXT && type % 2 === 1 ? (type - FIRST_TEXT) / 2 : undefined;
};

const objectOf = (payload: Uint8Array): SchemaObject => {
  const header = lengthAt(payload, 0);
  const texts: (string | undefined)[] = [];
  let at = header.end;
  let start = header.value;
  for (let column = 0; column < COLUMNS; column++) {
    const type = lengthAt(payload, at);
    at = type.end;
    const length = lengthOfColumn(column, type.value);
    if (length === undefined || start + length > payload.length) {
      throw corrupt('a row has columns of other types');
    }
    const isText = type.value >= FIRST_TEXT;
    texts.push(isText ? textOf(payload.subarray(start, start + length)) : undefined);
    start += length;
  }
  if (at !== header.value || start !== payload.length) {
    throw corrupt('a row has other columns');
  }
  const [type, name, table, , sql] = texts;
  return { type: type!, name: name!, table: table!, sql };
};

/**
 * Returns all rows, in order.
 * @throws {RepoError} `Corrupt` when the pages are damaged, or are more than those of any repository.
 */
export const readSchemaRows = (pages: DatabasePages): SchemaObject[] => {
  const { usable } = pages;
  const objects: SchemaObject[] = [];
  let left = MAX_PAGES;
  let size = 0;
  const read = (number: number): Uint8Array => {
    if (left-- === 0) {
      throw tooLarge(`pages=${MAX_PAGES}`);
    }
    return pages.read(number);
  };

  const payloadAt = (page: Uint8Array, at: number): Uint8Array => {
    const length = lengthAt(page, at);
    const rowid = readVarint(page, length.end);
    size += length.value;
    if (length.value > MAX_SCHEMA_ROW || size > MAX_SCHEMA_SIZE) {
      throw tooLarge(`bytes=${length.value > MAX_SCHEMA_ROW ? length.value : size}`);
    }
    const local = localLength(length.value, usable);
    const hasMore = local < length.value;
    if (rowid === undefined || rowid.end + local + (hasMore ? 4 : 0) > usable) {
      throw corrupt('a row passes the end of its page');
    }
    const parts = [page.subarray(rowid.end, rowid.end + local)];
    let next = hasMore ? uint32(page, rowid.end + local) : 0;
    for (let filled = local; filled < length.value; ) {
      const overflow = read(next);
      const part = overflow.subarray(4, Math.min(usable, 4 + length.value - filled));
      parts.push(part);
      filled += part.length;
      next = uint32(overflow, 0);
    }
    return parts.length === 1 ? parts[0]! : concatBytes(parts);
  };

  const visit = (number: number, depth: number): void => {
    const page = read(number);
    const start = number === 1 ? HEADER_LENGTH : 0;
    const kind = page[start];
    if ((kind !== TABLE_LEAF && kind !== TABLE_INTERIOR) || depth > MAX_DEPTH) {
      throw corrupt(`a page is of another kind; page=${number}`);
    }
    const cells = uint16(page, start + 3);
    const pointers = start + (kind === TABLE_LEAF ? LEAF_HEADER : INTERIOR_HEADER);
    const content = pointers + 2 * cells;
    if (number !== 1 && cells === 0) {
      throw corrupt(`a page is empty; page=${number}`);
    }
    for (let i = 0; i < cells; i++) {
      const at = content <= usable ? uint16(page, pointers + 2 * i) : 0;
      if (at < content || at > usable - LEAST_CELL) {
        throw corrupt(`a row lies outside of its page; page=${number}`);
      }
      if (kind === TABLE_INTERIOR) {
        visit(uint32(page, at), depth + 1);
        continue;
      }
      objects.push(objectOf(payloadAt(page, at)));
      if (objects.length > MAX_SCHEMA_OBJECTS) {
        throw tooLarge(`objects=${MAX_SCHEMA_OBJECTS}`);
      }
    }
    if (kind === TABLE_INTERIOR) {
      visit(uint32(page, start + 8), depth + 1);
    }
  };
  visit(1, 1);
  return objects;
};
