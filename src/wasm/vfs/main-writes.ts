/** What SQLite writes to the main file, as it is stored. */
import { storeAsPlain } from './header.ts';
import type { Mount } from './mount.ts';
import { writeAll } from './write-all.ts';

const TABLE_LEAF = 0x0d;
const INDEX_LEAF = 0x0a;
const LEAF_HEADER = 8;

/**
 * Overwrites with zeros what is between the pointers of a leaf and its rows. SQLite moves rows from page to page and
 * leaves copies there, also with `secure_delete`: a text would stay readable after its row is deleted.
 * https://sqlite.org/fileformat2.html#b_tree_pages
 *
 * No other page begins like a leaf. A pointer map begins with 1 to 5; the first page with the header of the file; an
 * overflow page and a free one with the number of a page, whose first byte is zero in a file below 68 GB, and below
 * 10 in one of 687 GB.
 */
export const clearUnused = (page: Uint8Array): void => {
  if (page[0] !== TABLE_LEAF && page[0] !== INDEX_LEAF) {
    return;
  }
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  const rows = view.getUint16(3);
  const pointersEnd = LEAF_HEADER + 2 * rows;
  const contentStart = view.getUint16(5);
  if (pointersEnd >= contentStart || contentStart > page.length) {
    return;
  }
  for (let i = 0; i < rows; i++) {
    if (view.getUint16(LEAF_HEADER + 2 * i) < contentStart) {
      // A damaged leaf stays as it is.
      return;
    }
  }
  page.fill(0, pointersEnd, contentStart);
};

/** The buffer is SQLite's own page: what changes in it is of no meaning to SQLite, or is put back. */
export const writeMain = ({ main, files }: Mount, buffer: Uint8Array, at: number): void => {
  if (at % buffer.length === 0 && buffer.length > LEAF_HEADER) {
    clearUnused(buffer);
  }
  if (files.durableOn === 'flush') {
    storeAsPlain(buffer, at, () => writeAll(main, buffer, at));
  } else {
    writeAll(main, buffer, at);
  }
};
