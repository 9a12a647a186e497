/** What a crash, a commit or an error has left beside the main file, and how it is put away. */
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { isHotJournal } from '../vfs/hot-journal.ts';
import type { Connection } from './connection.ts';

/**
 * Checkpoints what a crash has left in the WAL. Behind its last commit SQLite fills a sector and syncs a part of it;
 * when a power cut has taken the rest, the next commit would begin in a sector that holds the end of the last one, and
 * a second power cut, on a disk that damages the sector that it is writing, would take that one with it. And after a
 * kill the log may hold commits that were never synced: they are before anybody reads them.
 */
export const settleLog = (connection: Connection): void => {
  try {
    connection.texts('pragma wal_checkpoint(truncate)');
  } catch (error) {
    // The log stays as it is. Reading works on a full disk, and so do deleting and collecting garbage, in part.
    if (!isRepoError(error, 'StorageFull')) {
      throw error;
    }
  }
};

/** Moves everything from the WAL to the main file, and cuts the WAL off. */
export const emptyLog = (connection: Connection): void => {
  const [busy] = connection.texts('pragma wal_checkpoint(truncate)');
  if (busy !== '0') {
    throw new RepoError('StorageFailed', 'the WAL could not be checkpointed');
  }
};

/** Moves what it can from the WAL to the main file. Throws no storage error: the next operation reports it. */
export const tryCheckpoint = (connection: Connection): void => {
  try {
    connection.texts('pragma wal_checkpoint(passive)');
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
  }
};

/**
 * Rolls back for an error that is on its way out; should that fail as well, the database is poisoned and says so next.
 */
export const undo = (connection: Connection): void => {
  try {
    connection.rollback();
  } catch (error) {
    if (connection.isUsable) {
      throw error;
    }
  }
};

/** After a checkpoint nothing needs a journal: one that was undone at opening is left with a blank first page. */
export const tidy = ({ journal }: DatabaseFiles): void => {
  try {
    if (journal.getSize() > 0 && !isHotJournal(journal)) {
      journal.truncate(0);
      journal.flush();
    }
  } catch (cause) {
    throw new RepoError('StorageFailed', 'the files could not be left as any reader wants them', { cause });
  }
};

/** What a file says when it is asked past SQLite. */
export const ask = <T>(question: () => T): T => {
  try {
    return question();
  } catch (cause) {
    throw new RepoError('StorageFailed', 'a file of the database could not be read', { cause });
  }
};
