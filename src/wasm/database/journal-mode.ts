/** Journal modes of a connection: through the WAL (`wal`), or in place with a rollback journal (`truncate`). */
import { RepoError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';
import { SQLITE_ERROR, SQLITE_OK } from '../c-api/result-codes.ts';

export const journalMode = (connection: Connection): string | undefined => connection.texts('pragma journal_mode')[0];

/** @throws {RepoError} `StorageFailed` when SQLite does not change the mode. */
export const requireMode = (connection: Connection, mode: 'memory' | 'truncate'): void => {
  const [found] = connection.texts(`pragma journal_mode=${mode}`);
  if (found !== mode) {
    throw new RepoError(
      'StorageFailed',
      `the journal mode cannot be changed: close other programs that use the file; expected=${mode}, found=${found}`,
    );
  }
};

/**
 * Switches the mode between two transactions. Returns the resulting mode, which is the old one if a statement is
 * between two rows. Both modes are equally safe. Each switch is a transaction with a journal that rewrites the first
 * page.
 */
export const switchMode = (connection: Connection, mode: 'truncate' | 'wal'): string | undefined => {
  const { showsWal } = connection;
  // Set before SQLite reads the header again, so that it finds the mode that it is about to write.
  connection.showsWal = mode === 'wal';
  const code = connection.tryExec(`pragma journal_mode=${mode}`);
  if (code !== SQLITE_OK) {
    connection.showsWal = showsWal;
    if (code !== SQLITE_ERROR) {
      throw connection.failed(code);
    }
  }
  return journalMode(connection);
};
