/** What the files of a database are called, wherever they lie. */

export const MAIN_NAME = 'pds.db';
export const JOURNAL_NAME = 'pds.db-journal';
export const WAL_NAME = 'pds.db-wal';
/** In the order of the slots of `DatabaseFiles`. */
export const FILE_NAMES = ['pds.db', 'pds.db-journal', 'pds.db-wal'] as const;
