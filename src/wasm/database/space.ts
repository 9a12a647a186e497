/** The free space of a database, and how it is removed. */
import { RepoError } from '../../core/errors.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { LogImage } from '../vfs/log-image.ts';
import { MemoryFile, memoryFiles } from '../vfs/memory-file.ts';
import { writeAll } from '../vfs/write-all.ts';
import type { Connection } from './connection.ts';

/** The size of a database, in bytes. */
export interface Space {
  /** The main file, without journal and WAL. */
  readonly size: number;
  /** Free pages. */
  readonly free: number;
}

/**
 * Page cache of the old and of the new file each, while a database is rewritten. Access is sequential, so more is not
 * faster.
 */
const REWRITE_KIBIBYTES = 4 * 1024;

/** Bytes per copy. */
const COPY_BYTES = 1 << 20;

const numberOf = (connection: Connection, pragma: string): number => Number(connection.texts(`pragma ${pragma}`)[0]);

export const spaceOf = (connection: Connection): Space => {
  const pageSize = numberOf(connection, 'page_size');
  return {
    size: numberOf(connection, 'page_count') * pageSize,
    free: numberOf(connection, 'freelist_count') * pageSize,
  };
};

/** Pages that one transaction removes. It bounds the size of the WAL. */
const PAGES_PER_TRANSACTION = 1024;

/**
 * Moves the last pages of the file to free pages and truncates the file, until no page is free. Does nothing for a file
 * without `auto_vacuum=incremental`; a rewrite adds it.
 */
export const truncateFree = (connection: Connection, transaction: (run: () => void) => void): void => {
  const isPossible = numberOf(connection, 'auto_vacuum') === 2;
  for (let left = isPossible ? spaceOf(connection).free : 0; left > 0; ) {
    transaction(() => connection.exec(`pragma incremental_vacuum(${PAGES_PER_TRANSACTION})`));
    const { free } = spaceOf(connection);
    left = free < left ? free : 0;
  }
};

/**
 * Writes a compact copy of the database into its WAL, which must be empty, durably. The caller then abandons the
 * connection, and the next opening recovers the new database from the WAL.
 * @throws {RepoError} `StorageFull`, `StorageFailed`. Then the WAL is empty again, and the connection is usable.
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
        new RepoError('StorageFailed', 'the WAL of a failed rewrite could not be truncated: open the database again', {
          cause,
        }),
      );
    }
    throw error;
  }
};

/**
 * Replaces the main file by a compact copy, for files in memory whose changes become durable together. The caller then
 * abandons the connection, because its cached pages are outdated.
 * @throws {RepoError} `StorageFailed`. Then nothing has changed.
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
