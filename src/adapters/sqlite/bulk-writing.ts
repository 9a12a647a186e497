/** When blocks are written past the log, each page once: see `Database.writePlainly`. */

/** Whether so many bytes of blocks are written past the log, into a file of this size. */
export type IsBulk = (bytes: number, fileSize: number) => boolean;

/**
 * What is in the file has to go into a journal where it changes, and leaving the log and coming back takes some ten
 * flushes.
 */
export const isBulk: IsBulk = (bytes, fileSize) => bytes >= 8 * 1024 * 1024 && bytes >= 4 * fileSize;
