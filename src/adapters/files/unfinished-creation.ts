/**
 * A database that SQLite has begun to write and that nobody was promised: what a creation leaves that was cut short.
 */
import type { SyncFile } from '../../wasm/vfs/database-files.ts';

/** The largest page that SQLite has would be too much: ours are of this size, and a first page alone holds no table. */
export const FIRST_PAGE_SIZE = 4096;

const MAGIC: Uint8Array = /* @__PURE__ */ new TextEncoder().encode('SQLite format 3\0');

/**
 * Whether a main file may be all that is left of a creation that was cut short. It may as well be a repository whose
 * content is in the log: that is for SQLite to find out, and for the schema to refuse.
 */
export const mayBeUnfinished = (main: SyncFile): boolean => {
  const size = main.getSize();
  const start = new Uint8Array(Math.min(size, MAGIC.length));
  main.read(start, { at: 0 });
  return size <= FIRST_PAGE_SIZE && start.every((byte, i) => byte === MAGIC[i]);
};
