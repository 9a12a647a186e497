/** Finds SQLite's default VFS in the static memory of sql.js. */
import { type Pointer, wrongSqlJs } from '../c-api/c-api.ts';
import type { Heap } from '../c-api/heap.ts';

/** `sqlite3_vfs`, version 3, on a machine with 32-bit pointers. The version is its first word. */
const VFS_VERSION = 3;
const VFS_MAX_PATHNAME = 512;
const VFS_NAME = 'unix\0';
const AT_MAX_PATHNAME = 8;
const AT_NAME = 16;
/** The range to search. The structure is static data, within the first 80 KB in sql.js 1.10 to 1.16. */
const STATIC_DATA = 1 << 20;

/**
 * Returns the address of the structure.
 * @throws {RepoError} `StorageFailed` when it is not found exactly once.
 */
export const findVfs = (heap: Heap): Pointer => {
  const name = new TextEncoder().encode(VFS_NAME);
  const isName = (pointer: Pointer): boolean =>
    pointer > 0 && pointer < STATIC_DATA && name.every((byte, i) => heap.bytes[pointer + i] === byte);
  const nextFrom = (from: Pointer): Pointer | undefined => heap.findWord(VFS_VERSION, from, STATIC_DATA);
  const found: Pointer[] = [];
  for (let pointer = nextFrom(0); pointer !== undefined; pointer = nextFrom(pointer + 4)) {
    if (heap.word(pointer + AT_MAX_PATHNAME) === VFS_MAX_PATHNAME && isName(heap.word(pointer + AT_NAME))) {
      found.push(pointer);
    }
  }
  if (found.length !== 1) {
    throw wrongSqlJs(`vfs=${found.length}`);
  }
  return found[0]!;
};
