/** Writes pages to the main file in the form to store. */
import { storeAsPlain } from './header.ts';
import type { Mount } from './mount.ts';
import { writeAll } from './write-all.ts';

const TABLE_LEAF = 0x0d;
const INDEX_LEAF = 0x0a;
const LEAF_HEADER = 8;

/**
 * Zeroes the unused bytes between the pointers and the rows of a leaf. SQLite moves rows between pages and leaves
 * copies there, also with `secure_delete`. Without this, a text stays readable after its row is deleted.
 * https://sqlite.org/fileformat2.html#b_tree_pages
 *
 * No other page starts with the byte of a leaf. A pointer map starts with 1 to 5, the first page with the header of the
 * file. Overflow and free pages start with a page number, whose first byte is below 10 in files up to 687 GB.
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

/** Changes the buffer, which is SQLite's own page, only in unused bytes, or restores it. */
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
