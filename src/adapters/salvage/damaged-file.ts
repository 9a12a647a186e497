/** The page size of a damaged database, and the mark of a database that is being replaced. */
import { PAGE_SIZE, SQLITE_MAGIC } from '../../core/storage/layout.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import { isPageSize } from '../sqlite/file-format/numbers.ts';
import type { ReadableFile } from '../sqlite/file-format/readable-file.ts';
import { readAt } from '../sqlite/file-format/readable-file.ts';

/**
 * Replaces the magic of the damaged database, with the same length, while the new database gets its name. SQLite cannot
 * open the damaged one meanwhile.
 */
const BEING_REPLACED: Uint8Array = /* @__PURE__ */ new TextEncoder().encode('pdsdb salvaging\0');

export interface Geometry {
  readonly pageSize: number;
  /** Bytes of a page that SQLite uses: the page size minus the reserved bytes. */
  readonly usable: number;
}

const beginsWith = (bytes: Uint8Array, start: Uint8Array): boolean => start.every((byte, i) => bytes[i] === byte);

/** Marks a database as being replaced, durably. */
export const markAsReplaced = (main: SyncFile): void => {
  main.write(BEING_REPLACED, { at: 0 });
  main.flush();
};

/** Whether a salvage was interrupted after it had marked the database. */
export const isMarkedAsReplaced = (main: ReadableFile): boolean => {
  const start = readAt(main, 0, BEING_REPLACED.length);
  return start !== undefined && beginsWith(start, BEING_REPLACED);
};

/**
 * Returns the possible page sizes, most likely first: the one in the header, which may be damaged, and the one that
 * this library writes. With a wrong page size, a salvage would lose half of the rows.
 */
export const geometriesOf = (main: ReadableFile): readonly Geometry[] => {
  const usual: Geometry = { pageSize: PAGE_SIZE, usable: PAGE_SIZE };
  const header = readAt(main, 0, 100) ?? new Uint8Array(100);
  const isKnown = beginsWith(header, SQLITE_MAGIC) || beginsWith(header, BEING_REPLACED);
  const said = (header[16]! << 8) | header[17]!;
  const pageSize = said === 1 ? 65536 : said;
  if (!isKnown || !isPageSize(pageSize)) {
    return [usual];
  }
  const usable = pageSize - header[20]!;
  const first: Geometry = { pageSize, usable: usable >= 480 ? usable : pageSize };
  return first.pageSize === usual.pageSize && first.usable === usual.usable ? [first] : [first, usual];
};
