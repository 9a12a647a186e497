/**
 * The layout of a repository's folder, and the constants of its database file. The layout is API: the files are the
 * same on every platform.
 */
import type { CID } from '../data/cid.ts';
import { cidToText } from '../data/cid.ts';

/** SQLite derives the names of the journal and of the write-ahead log from the name of the database. */
export const JOURNAL_SUFFIX = '-journal';
export const WAL_SUFFIX = '-wal';

export const MAIN_NAME = 'pds.db';
export const JOURNAL_NAME = 'pds.db-journal';
export const WAL_NAME = 'pds.db-wal';
/** In the order of the slots of `DatabaseFiles`. */
export const FILE_NAMES: readonly [typeof MAIN_NAME, typeof JOURNAL_NAME, typeof WAL_NAME] = [
  MAIN_NAME,
  JOURNAL_NAME,
  WAL_NAME,
];

/** The folder of the blobs. Temporary files of a `put` are directly in it. */
export const BLOBS_ROOT = 'blobs';

/** A blob is in the folder of its name's first two characters. The text of every raw CID starts with `bafkrei`. */
export const BLOBS_FOLDER = 'blobs/ba';

/** The path of a blob in the folder of its repository. */
export const blobPath = (cid: CID): string => `${BLOBS_FOLDER}/${cidToText(cid)}`;

/** The page size of the database, in bytes. The power-cut tests ran with it. */
export const PAGE_SIZE = 4096;

/** The first 16 bytes of every SQLite database. https://sqlite.org/fileformat.html#magic_header_string */
export const SQLITE_MAGIC: Uint8Array = /* @__PURE__ */ new TextEncoder().encode('SQLite format 3\0');

/**
 * Most bytes of one stored value. A block of a CAR has at most a quarter of it by default. A larger value is rejected
 * when it is written. A larger stored value is damage, and is not read.
 */
export const MAX_STORED_VALUE: number = 8 * 1024 * 1024;
