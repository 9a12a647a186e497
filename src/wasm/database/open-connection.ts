/** A connection with its settings, over files that may hold what a crash has left. */
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { Connection } from './connection.ts';
import type { Instance } from './instance.ts';
import { journalMode, requireMode } from './journal-mode.ts';
import { largestCacheOf, settingsFor } from './settings.ts';

/**
 * Opens the database in the files, or begins one where there is nothing.
 * @returns Beside the connection: whether it writes ahead, through the log.
 * @throws {RepoError} `Corrupt` when the file is not a database. Nothing is written to the files then.
 */
export const openConnection = (
  instance: Instance,
  files: DatabaseFiles,
): { readonly connection: Connection; readonly isLogging: boolean } => {
  const connection = Connection.open(instance, instance.vfs.mount(files));
  try {
    for (const setting of settingsFor(files.durableOn)) {
      connection.exec(`pragma ${setting}`);
    }
    // SQLite notes it when the statement is prepared: for a new database, and for the next `vacuum` of one that has no
    // such pages. To run it would write to a database that has them.
    connection.release(connection.prepare('pragma auto_vacuum=incremental'));
    connection.shareCache(largestCacheOf(files.durableOn));
    // The first read: it recovers what a crash has left, and finds out whether this is a database.
    connection.exec('select count(*) from sqlite_schema');
    if (files.durableOn === 'persist') {
      requireMode(connection, 'memory');
      return { connection, isLogging: false };
    }
    const isLogging = journalMode(connection) === 'wal';
    if (!isLogging) {
      // `delete` would leave the journal's end to be made durable by the folder; a power cut undid commits with it.
      requireMode(connection, 'truncate');
    }
    return { connection, isLogging };
  } catch (error) {
    connection.abandon();
    throw error;
  }
};
