/**
 * The two ways in which a connection writes: ahead, through the log (`wal`), or to its places, with a journal
 * (`truncate`).
 */
import { RepoError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';
import { SQLITE_ERROR, SQLITE_OK } from '../c-api/result-codes.ts';

export const journalMode = (connection: Connection): string | undefined => connection.texts('pragma journal_mode')[0];

/** @throws {RepoError} `StorageFailed` when the mode does not become what it has to be. */
export const requireMode = (connection: Connection, mode: 'memory' | 'truncate'): void => {
  const [answer] = connection.texts(`pragma journal_mode=${mode}`);
  if (answer !== mode) {
    throw new RepoError('StorageFailed', `the journal mode cannot be changed; wanted=${mode}, is=${answer}`);
  }
};

/**
 * Asks for a mode between two transactions and answers the one that there is then: the old one where some statement is
 * between two rows. Both are as safe. Leaving the log and coming back to it is a transaction through the journal each,
 * of the page with the header.
 */
export const switchMode = (connection: Connection, mode: 'truncate' | 'wal'): string | undefined => {
  const { showsLogged } = connection;
  // Before SQLite looks at the header again, so that it finds what it is about to write there.
  connection.showsLogged = mode === 'wal';
  const code = connection.tryExec(`pragma journal_mode=${mode}`);
  if (code !== SQLITE_OK) {
    connection.showsLogged = showsLogged;
    if (code !== SQLITE_ERROR) {
      throw connection.failed(code);
    }
  }
  return journalMode(connection);
};
