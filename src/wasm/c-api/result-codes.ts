/** SQLite's result codes, and their codes of {@link RepoError}. https://sqlite.org/rescode.html */
import { RepoError } from '../../core/errors.ts';
import type { RepoErrorCode } from '../../core/errors.ts';

export const SQLITE_OK = 0;
export const SQLITE_ERROR = 1;
export const SQLITE_IOERR = 10;
export const SQLITE_NOTFOUND = 12;
export const SQLITE_FULL = 13;
export const SQLITE_CANTOPEN = 14;
export const SQLITE_ROW = 100;
export const SQLITE_DONE = 101;

// Extended codes have details above the low eight bits.
export const SQLITE_IOERR_READ = 266;
export const SQLITE_IOERR_SHORT_READ = 522;
export const SQLITE_IOERR_WRITE = 778;
export const SQLITE_IOERR_FSYNC = 1034;
export const SQLITE_IOERR_TRUNCATE = 1546;
export const SQLITE_IOERR_FSTAT = 1802;
export const SQLITE_IOERR_DELETE = 2570;
export const SQLITE_IOERR_ACCESS = 3338;
export const SQLITE_IOERR_CLOSE = 4106;

const NAMES: ReadonlyMap<number, string> = /* @__PURE__ */ new Map([
  [SQLITE_ERROR, 'SQLITE_ERROR'],
  [2, 'SQLITE_INTERNAL'],
  [3, 'SQLITE_PERM'],
  [4, 'SQLITE_ABORT'],
  [5, 'SQLITE_BUSY'],
  [6, 'SQLITE_LOCKED'],
  [7, 'SQLITE_NOMEM'],
  [8, 'SQLITE_READONLY'],
  [9, 'SQLITE_INTERRUPT'],
  [SQLITE_IOERR, 'SQLITE_IOERR'],
  [11, 'SQLITE_CORRUPT'],
  [SQLITE_NOTFOUND, 'SQLITE_NOTFOUND'],
  [SQLITE_FULL, 'SQLITE_FULL'],
  [SQLITE_CANTOPEN, 'SQLITE_CANTOPEN'],
  [15, 'SQLITE_PROTOCOL'],
  [17, 'SQLITE_SCHEMA'],
  [18, 'SQLITE_TOOBIG'],
  [19, 'SQLITE_CONSTRAINT'],
  [20, 'SQLITE_MISMATCH'],
  [21, 'SQLITE_MISUSE'],
  [23, 'SQLITE_AUTH'],
  [25, 'SQLITE_RANGE'],
  [26, 'SQLITE_NOTADB'],
  [SQLITE_IOERR_READ, 'SQLITE_IOERR_READ'],
  [SQLITE_IOERR_SHORT_READ, 'SQLITE_IOERR_SHORT_READ'],
  [SQLITE_IOERR_WRITE, 'SQLITE_IOERR_WRITE'],
  [SQLITE_IOERR_FSYNC, 'SQLITE_IOERR_FSYNC'],
  [SQLITE_IOERR_TRUNCATE, 'SQLITE_IOERR_TRUNCATE'],
  [SQLITE_IOERR_FSTAT, 'SQLITE_IOERR_FSTAT'],
  [SQLITE_IOERR_DELETE, 'SQLITE_IOERR_DELETE'],
  [SQLITE_IOERR_ACCESS, 'SQLITE_IOERR_ACCESS'],
  [SQLITE_IOERR_CLOSE, 'SQLITE_IOERR_CLOSE'],
]);

/** By primary code. All others are `StorageFailed`. */
const REPO_CODES: ReadonlyMap<number, RepoErrorCode> = /* @__PURE__ */ new Map<number, RepoErrorCode>([
  [5, 'Locked'],
  [6, 'Locked'],
  [11, 'Corrupt'],
  [SQLITE_FULL, 'StorageFull'],
  // A row that claims a gigabyte: pdsdb never writes one.
  [18, 'Corrupt'],
  [26, 'Corrupt'],
]);

/** Codes after which SQLite may have rolled back the transaction by itself. https://sqlite.org/lang_transaction.html */
const ENDS_TRANSACTION: ReadonlySet<number> = /* @__PURE__ */ new Set([7, 9, SQLITE_IOERR, 11, SQLITE_FULL]);

export const primaryCode = (code: number): number => code & 0xff;

export const endsTransaction = (code: number): boolean => ENDS_TRANSACTION.has(primaryCode(code));

/** Returns the error for a result code. The message ends with the code's name. */
export const sqliteError = (code: number, message: string, cause: unknown): RepoError =>
  new RepoError(
    REPO_CODES.get(primaryCode(code)) ?? 'StorageFailed',
    `${message}; code=${NAMES.get(code) ?? code}`,
    cause === undefined ? undefined : { cause },
  );
