/** Opening a database for reading, whatever a crash has left beside it. */
import { RepoError } from '../../core/errors.ts';
import type { Sqlite } from '../../wasm/database/sqlite.ts';
import type { DatabaseFiles, ReadOnlyFiles, SyncFile } from '../../wasm/vfs/database-files.ts';
import { showAsPlain } from '../../wasm/vfs/header.ts';
import { recoveredFile } from './file-format/database-pages.ts';
import { openInspected } from './inspect-database.ts';
import { openSqliteBlockStore } from './open-block-store.ts';
import type { OpenedStore } from './read-only-store.ts';
import { ReadOnlyStore } from './read-only-store.ts';

/** How often to begin anew when writers come and go. */
const MAX_TRIES = 64;

const refuse = (): never => {
  throw new RepoError('ReadOnly', 'the database was opened for reading');
};

const NOTHING: SyncFile = { read: () => 0, write: refuse, truncate: refuse, getSize: () => 0, flush: () => {} };

/** The same database as one file without a journal or a log: SQLite finds nothing to recover. */
const recoveredFiles = (files: ReadOnlyFiles): DatabaseFiles => {
  const recovered = recoveredFile(files);
  if (recovered === undefined) {
    throw new RepoError('RepoNotFound', 'the database is empty');
  }
  return {
    main: {
      ...NOTHING,
      getSize: () => recovered.getSize(),
      read(buffer, options) {
        const length = recovered.read(buffer, options);
        showAsPlain(buffer, options.at);
        return length;
      },
    },
    journal: NOTHING,
    wal: NOTHING,
    // No log, and no journal but in memory.
    durableOn: 'persist',
    persist: () => files.persist(),
    close: () => files.close(),
    [Symbol.asyncDispose]: () => files.close(),
  };
};

const openOnce = async (sqlite: Sqlite, files: ReadOnlyFiles): Promise<OpenedStore> => {
  const recovered = recoveredFiles(files);
  const database = openInspected(sqlite, recovered, { isNew: false });
  const store = await openSqliteBlockStore(database, recovered, { isReadOnly: true });
  return { store, main: recovered.main, files };
};

/**
 * Opens a repository for reading, over files that others may write to.
 * @param openFiles Opens the files as they are now.
 * @throws {RepoError} As `openFiles` and `openSqliteBlockStore` do; `Locked` when a log is too long to be applied in
 *   memory.
 */
export const openReadOnlyStore = async (
  sqlite: Sqlite,
  openFiles: () => Promise<ReadOnlyFiles>,
): Promise<ReadOnlyStore> => {
  const open = async (): Promise<OpenedStore> => {
    for (let tries = 1; ; tries++) {
      const files = await openFiles();
      try {
        const opened = await openOnce(sqlite, files);
        if (files.isCurrent()) {
          return opened;
        }
        await opened.store.close();
      } catch (error) {
        // What is read while somebody writes may look damaged.
        const isOfOneState = files.isCurrent();
        await files.close();
        if (isOfOneState) {
          throw error;
        }
      }
      if (tries === MAX_TRIES) {
        throw new RepoError('Locked', 'others keep writing to the repository');
      }
    }
  };
  return new ReadOnlyStore(await open(), open);
};
