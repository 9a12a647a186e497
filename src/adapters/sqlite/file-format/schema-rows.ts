/**
 * Reads the rows of `sqlite_schema` page by page, before SQLite runs. It walks the tree as SQLite does, and refuses
 * content that SQLite never writes, so that SQLite later reads the same rows.
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
  /** The table of an index or a trigger; otherwise equal to `name`. */
  readonly table: string;
  /** `undefined` for an automatic index. */
  readonly sql: string | undefined;
}

/** The largest number of tables, indexes, views and triggers. A repository has eight. */
export const MAX_SCHEMA_OBJECTS: number = 500;
/** The largest row of the schema, in bytes. */
export const MAX_SCHEMA_ROW: number = 32 * 1024;
/** The largest size of all rows of the schema together, in bytes. */
export const MAX_SCHEMA_SIZE: number = 256 * 1024;
/**
 * The largest number of pages of the schema, with overflow pages. {@link MAX_SCHEMA_SIZE} fits in pages of 512 bytes.
 */
const MAX_PAGES = 2000;
/** SQLite's own limit. */
const MAX_DEPTH = 20;

const TABLE_INTERIOR = 0x05;
const TABLE_LEAF = 0x0d;
const INTERIOR_HEADER = 12;
const LEAF_HEADER = 8;
/** Bytes of the shortest cell. */
const LEAST_CELL = 4;
/** A longer varint means a length above {@link MAX_SCHEMA_SIZE}. */
const MAX_LENGTH_VARINT = 4;

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const corrupt = (what: string, cause?: unknown): RepoError =>
  new RepoError(
    'Corrupt',
    `the schema of the database is damaged: ${what}. Call salvageRepo, or restore a backup`,
    cause === undefined ? {} : { cause },
  );

const tooLarge = (what: string): RepoError =>
  new RepoError('Corrupt', `the schema of the database is larger than pdsdb allows: ${what}. Restore a backup`);

const lengthAt = (bytes: Uint8Array, at: number): Varint => {
  const length = readVarint(bytes, at);
  if (length === undefined || length.end - at > MAX_LENGTH_VARINT) {
    throw tooLarge(`the length of a row, a text or a header; at=${at}`);
  }
  return length;
};

/** The columns are type, name, tbl_name, rootpage and sql. */
const COLUMNS = 5;
const ROOT_PAGE = 3;
const SQL = 4;
/** Serial types: the odd numbers from 13 are texts. */
const FIRST_TEXT = 13;
/** Serial type of an integer -> its length in bytes. */
const INTEGER_LENGTHS: readonly (number | undefined)[] = [undefined, 1, 2, 3, 4, 6, 8, undefined, 0, 0];

const textOf = (bytes: Uint8Array): string => {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw corrupt('a text is not UTF-8', cause);
  }
  if (text.includes('\0')) {
    // SQLite would read up to the zero byte, and our check would read more.
    throw corrupt('a text has a zero byte');
  }
  return text;
};

/** Returns the length of a column in bytes, or `undefined` if SQLite never writes this serial type in it. */
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
      throw corrupt(`a column of a row has the wrong type; column=${column} type=${type.value}`);
    }
    const isText = type.value >= FIRST_TEXT;
    texts.push(isText ? textOf(payload.subarray(start, start + length)) : undefined);
    start += length;
  }
  if (at !== header.value || start !== payload.length) {
    throw corrupt('a row does not have five columns');
  }
  const [type, name, table, , sql] = texts;
  return { type: type!, name: name!, table: table!, sql };
};

/**
 * Returns all rows, in order.
 * @throws {RepoError} `Corrupt` if the pages are damaged, or the schema is larger than the limits above.
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
      throw corrupt('a row ends after the end of its page');
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
      throw corrupt(`a page has the wrong kind; page=${number}`);
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
        throw corrupt(`a row is outside of its page; page=${number}`);
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
