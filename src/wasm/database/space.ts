/** The bytes of a database that hold nothing, and how they are given back. */
import { RepoError } from '../../core/errors.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { LogImage } from '../vfs/log-image.ts';
import { MemoryFile, memoryFiles } from '../vfs/memory-file.ts';
import { writeAll } from '../vfs/write-all.ts';
import type { Connection } from './connection.ts';

/** The size of a database, in bytes. */
export interface Space {
  /** Of the database, without its journal and its log. */
  readonly size: number;
  /** Of pages that hold nothing. */
  readonly free: number;
}

/**
 * Memory for the pages of the old and of the new file, each, while a database is rewritten. Both are read and written
 * from their start to their end: more is not faster.
 */
const REWRITE_KIBIBYTES = 4 * 1024;

/** Bytes that are copied at once. */
const COPY_BYTES = 1 << 20;

const numberOf = (connection: Connection, pragma: string): number => Number(connection.texts(`pragma ${pragma}`)[0]);

export const spaceOf = (connection: Connection): Space => {
  const pageSize = numberOf(connection, 'page_size');
  return {
    size: numberOf(connection, 'page_count') * pageSize,
    free: numberOf(connection, 'freelist_count') * pageSize,
  };
};

/** Pages that one transaction cuts off. Each is as many pages of the WAL as it moves. */
const PAGES_CUT_OFF = 1024;

/**
 * Moves the last pages of the file to free ones and cuts the file off, until no page is free. Does nothing to a file
 * that was made without `auto_vacuum=incremental`: such a one learns it when it is rewritten.
 */
export const cutOff = (connection: Connection, transaction: (run: () => void) => void): void => {
  const isPossible = numberOf(connection, 'auto_vacuum') === 2;
  for (let left = isPossible ? spaceOf(connection).free : 0; left > 0; ) {
    transaction(() => connection.exec(`pragma incremental_vacuum(${PAGES_CUT_OFF})`));
    const { free } = spaceOf(connection);
    left = free < left ? free : 0;
  }
};

/**
 * Writes the database anew into its log, which has to be empty, durably. The connection knows nothing of it: it is
 * abandoned, and the next opening finds the new database as what a crash has left.
 * @throws {RepoError} `StorageFull`, `StorageFailed`; the log is empty again then, and the connection goes on.
 */
export const rewriteThroughLog = (connection: Connection, files: DatabaseFiles): void => {
  const image = new LogImage(files.wal, numberOf(connection, 'page_size'));
  try {
    connection.vacuumInto(memoryFiles('persist', image), REWRITE_KIBIBYTES);
    image.seal();
  } catch (error) {
    try {
      image.discard();
    } catch (cause) {
      connection.poison(
        new RepoError('StorageFailed', 'the room of a rewritten database was not given back', { cause }),
      );
    }
    throw error;
  }
};

/**
 * Writes the database anew over itself, for files that are in memory and whose changes are durable together. The
 * connection is abandoned after it: what it has read of them is no longer there.
 * @throws {RepoError} `StorageFailed`, and then nothing has happened.
 */
export const rewriteInMemory = (connection: Connection, { main }: DatabaseFiles): void => {
  const image = new MemoryFile();
  connection.vacuumInto(memoryFiles('persist', image), REWRITE_KIBIBYTES);
  const buffer = new Uint8Array(COPY_BYTES);
  for (let at = 0; at < image.getSize(); at += buffer.length) {
    const part = buffer.subarray(0, image.read(buffer, { at }));
    writeAll(main, part, at);
  }
  main.truncate(image.getSize());
};
