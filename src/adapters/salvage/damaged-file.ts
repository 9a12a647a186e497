/** A damaged database as a file that is read, and the mark of one that is about to be replaced. */
import { PAGE_SIZE, SQLITE_MAGIC } from '../../core/storage/layout.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import { isPageSize } from '../sqlite/file-format/numbers.ts';
import type { ReadableFile } from '../sqlite/file-format/readable-file.ts';
import { readAt } from '../sqlite/file-format/readable-file.ts';

/**
 * What stands in its place, and is as long, while a salvaged database is about to take the name of this one: no SQLite
 * opens it meanwhile.
 */
const BEING_REPLACED: Uint8Array = /* @__PURE__ */ new TextEncoder().encode('pdsdb salvaging\0');

export interface Geometry {
  readonly pageSize: number;
  /** Bytes of a page that SQLite uses. */
  readonly usable: number;
}

const beginsWith = (bytes: Uint8Array, start: Uint8Array): boolean => start.every((byte, i) => bytes[i] === byte);

/** Marks a database as one that is about to be replaced, durably. */
export const markAsReplaced = (main: SyncFile): void => {
  main.write(BEING_REPLACED, { at: 0 });
  main.flush();
};

/** Whether a salvage was cut short after it had marked the database. */
export const isMarkedAsReplaced = (main: ReadableFile): boolean => {
  const start = readAt(main, 0, BEING_REPLACED.length);
  return start !== undefined && beginsWith(start, BEING_REPLACED);
};

/**
 * How the pages may lie, the most likely first: as the header says, which is two bytes that may be damaged themselves,
 * and as this library writes them. A flipped bit in the size of a page would hide half of the rows.
 */
export const geometriesOf = (main: ReadableFile): readonly Geometry[] => {
  const usual: Geometry = { pageSize: PAGE_SIZE, usable: PAGE_SIZE };
  const header = readAt(main, 0, 100) ?? new Uint8Array(100);
  const isThere = beginsWith(header, SQLITE_MAGIC) || beginsWith(header, BEING_REPLACED);
  const said = (header[16]! << 8) | header[17]!;
  const pageSize = said === 1 ? 65536 : said;
  if (!isThere || !isPageSize(pageSize)) {
    return [usual];
  }
  const usable = pageSize - header[20]!;
  const first: Geometry = { pageSize, usable: usable >= 480 ? usable : pageSize };
  return first.pageSize === usual.pageSize && first.usable === usual.usable ? [first] : [first, usual];
};
