/**
 * The two bytes of a database's header that say whether it is written through a log.
 * https://sqlite.org/fileformat2.html#file_format_version_numbers
 *
 * A closed `pds.db` has no log and says so, so that any reader opens it. SQLite, to write ahead, would first have to
 * rewrite the header, and once more at close: six flushes for the first commit, and another file after opening
 * and closing it, though nothing was committed. So it is shown the other header than the one that is stored: it finds a
 * database that is logged already. After a crash the file stands beside its log with the plain header; SQLite, ours or
 * any other, reads a log that is there whatever the header says.
 */
import type { SyncFile } from './database-files.ts';

export const WRITE_VERSION = 18;
export const READ_VERSION = 19;
const PLAIN = 1;
export const LOGGED = 2;

const holds = (buffer: Uint8Array, at: number, version: number): boolean =>
  at <= WRITE_VERSION && buffer[WRITE_VERSION - at] === version && buffer[READ_VERSION - at] === version;

const put = (buffer: Uint8Array, at: number, version: number): void => {
  buffer[WRITE_VERSION - at] = version;
  buffer[READ_VERSION - at] = version;
};

/** What was read of the file from `at` on, as SQLite is to see it. */
export const showAsLogged = (buffer: Uint8Array, at: number): void => {
  if (holds(buffer, at, PLAIN)) {
    put(buffer, at, LOGGED);
  }
};

/** What was read of the file from `at` on, as that of a database without a log. */
export const showAsPlain = (buffer: Uint8Array, at: number): void => {
  if (holds(buffer, at, LOGGED)) {
    put(buffer, at, PLAIN);
  }
};

/** Runs a write of `buffer` with the header as it is to be stored. The buffer is SQLite's page, so it is put back. */
export const storeAsPlain = (buffer: Uint8Array, at: number, write: () => void): void => {
  if (!holds(buffer, at, LOGGED)) {
    write();
    return;
  }
  put(buffer, at, PLAIN);
  try {
    write();
  } finally {
    put(buffer, at, LOGGED);
  }
};

/** Whether the stored header says that there is a log, as another program may have left it. */
export const isStoredAsLogged = (file: SyncFile): boolean => {
  const versions = new Uint8Array(2);
  const isThere = file.read(versions, { at: WRITE_VERSION }) === versions.length;
  return isThere && holds(versions, WRITE_VERSION, LOGGED);
};
