/**
 * The two bytes in a database header that say whether the database is in WAL mode.
 * https://sqlite.org/fileformat2.html#file_format_version_numbers
 *
 * A closed `pds.db` has no WAL, and its header says so, so that any reader can open it. For WAL mode, SQLite would
 * rewrite the header at the first commit and at close. That costs six flushes, and changes a file that was only opened
 * and closed. So the VFS shows SQLite another header than the stored one: that of a database in WAL mode. After a
 * crash, the file has the plain header and a WAL beside it. Every SQLite reads an existing WAL, whatever the header
 * says.
 */
import type { SyncFile } from './database-files.ts';

export const WRITE_VERSION = 18;
export const READ_VERSION = 19;
const PLAIN = 1;
export const WAL = 2;

const holds = (buffer: Uint8Array, at: number, version: number): boolean =>
  at <= WRITE_VERSION && buffer[WRITE_VERSION - at] === version && buffer[READ_VERSION - at] === version;

const put = (buffer: Uint8Array, at: number, version: number): void => {
  buffer[WRITE_VERSION - at] = version;
  buffer[READ_VERSION - at] = version;
};

/** Changes bytes that were read at `at`: a plain header becomes one in WAL mode. */
export const showAsWal = (buffer: Uint8Array, at: number): void => {
  if (holds(buffer, at, PLAIN)) {
    put(buffer, at, WAL);
  }
};

/** Changes bytes that were read at `at`: a header in WAL mode becomes a plain one. */
export const showAsPlain = (buffer: Uint8Array, at: number): void => {
  if (holds(buffer, at, WAL)) {
    put(buffer, at, PLAIN);
  }
};

/** Runs a write of `buffer` with the plain header, then restores the buffer, which is SQLite's page. */
export const storeAsPlain = (buffer: Uint8Array, at: number, write: () => void): void => {
  if (!holds(buffer, at, WAL)) {
    write();
    return;
  }
  put(buffer, at, PLAIN);
  try {
    write();
  } finally {
    put(buffer, at, WAL);
  }
};

/** Returns whether the stored header is in WAL mode, as another program may leave it. */
export const isStoredAsWal = (file: SyncFile): boolean => {
  const versions = new Uint8Array(2);
  const isComplete = file.read(versions, { at: WRITE_VERSION }) === versions.length;
  return isComplete && holds(versions, WRITE_VERSION, WAL);
};
