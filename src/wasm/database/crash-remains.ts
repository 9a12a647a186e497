/** Cleans up the WAL and the journal after a crash, a commit or an error. */
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { isHotJournal } from '../vfs/hot-journal.ts';
import type { Connection } from './connection.ts';

/**
 * Checkpoints the WAL of a crash, for two reasons. After the last commit, SQLite pads the sector and syncs only a part.
 * If a power cut loses the rest, the next commit starts in the sector of the last one, and a second power cut that
 * damages this sector would lose both. After a kill, the WAL may have commits that were never synced; they must be
 * durable before they are read.
 */
export const recoverLog = (connection: Connection): void => {
  try {
    connection.texts('pragma wal_checkpoint(truncate)');
  } catch (error) {
    // The WAL stays. Reads still work on a full disk, and deletes and `gc` partly.
    if (!isRepoError(error, 'StorageFull')) {
      throw error;
    }
  }
};

/** Checkpoints the whole WAL and truncates it. */
export const checkpointAll = (connection: Connection): void => {
  const [busy] = connection.texts('pragma wal_checkpoint(truncate)');
  if (busy !== '0') {
    throw new RepoError('StorageFailed', `the WAL could not be checkpointed: end all statements first; busy=${busy}`);
  }
};

/** Checkpoints as much of the WAL as possible. Throws no storage errors: the next operation reports them. */
export const tryCheckpoint = (connection: Connection): void => {
  try {
    connection.texts('pragma wal_checkpoint(passive)');
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
  }
};

/** Rolls back after an error. If that fails too, the database is unusable, and the next call reports it. */
export const undo = (connection: Connection): void => {
  try {
    connection.rollback();
  } catch (error) {
    if (connection.isUsable) {
      throw error;
    }
  }
};

/** Truncates a journal that is not hot. A journal that was rolled back at opening has a blank first page. */
export const truncateJournal = ({ journal }: DatabaseFiles): void => {
  try {
    if (journal.getSize() > 0 && !isHotJournal(journal)) {
      journal.truncate(0);
      journal.flush();
    }
  } catch (cause) {
    throw new RepoError('StorageFailed', 'the journal could not be truncated: open and close the database again', {
      cause,
    });
  }
};

/** Reads a file directly, not through SQLite. */
export const readDirectly = <T>(read: () => T): T => {
  try {
    return read();
  } catch (cause) {
    throw new RepoError('StorageFailed', 'a file of the database could not be read: check its permissions', { cause });
  }
};
