/** Opens a connection with its settings and recovers from a crash. */
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { Connection } from './connection.ts';
import type { Instance } from './instance.ts';
import { journalMode, requireMode } from './journal-mode.ts';
import { largestCacheOf, settingsFor } from './settings.ts';

/**
 * Opens the database in the files, or starts one if they are empty.
 * @returns The connection, and whether it uses the WAL.
 * @throws {RepoError} `Corrupt` when the file is not a database. Then nothing is written.
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
    // Preparing the statement is enough: SQLite applies it to a new database, and to the next `vacuum` of another.
    // Running it would write to a database that already has it.
    connection.release(connection.prepare('pragma auto_vacuum=incremental'));
    connection.shareCache(largestCacheOf(files.durableOn));
    // The first read recovers from a crash, and fails if the file is not a database.
    connection.exec('select count(*) from sqlite_schema');
    if (files.durableOn === 'persist') {
      requireMode(connection, 'memory');
      return { connection, isLogging: false };
    }
    const isLogging = journalMode(connection) === 'wal';
    if (!isLogging) {
      // Not `delete`: the removal of the journal is durable only after a sync of the folder. In tests, a power cut
      // undid commits.
      requireMode(connection, 'truncate');
    }
    return { connection, isLogging };
  } catch (error) {
    connection.abandon();
    throw error;
  }
};
