/** Opens a database for reading only. Applies a hot journal or a WAL of a crash in memory. */
import { RepoError } from '../../core/errors.ts';
import type { Sqlite } from '../../wasm/database/sqlite.ts';
import type { DatabaseFiles, ReadOnlyFiles, SyncFile } from '../../wasm/vfs/database-files.ts';
import { showAsPlain } from '../../wasm/vfs/header.ts';
import { recoveredFile } from './file-format/database-pages.ts';
import { openInspected } from './inspect-database.ts';
import { openSqliteBlockStore } from './open-block-store.ts';
import type { OpenedStore } from './read-only-store.ts';
import { ReadOnlyStore } from './read-only-store.ts';

/** Attempts to open the database while writers change it. */
const MAX_TRIES = 64;

const refuse = (): never => {
  throw new RepoError('ReadOnly', 'the database is open for reading only: open it without readOnly');
};

const NOTHING: SyncFile = { read: () => 0, write: refuse, truncate: refuse, getSize: () => 0, flush: () => {} };

/** Returns the recovered database as one file without a journal or a WAL, so that SQLite has nothing to recover. */
export const recoveredFiles = (files: ReadOnlyFiles): DatabaseFiles => {
  const recovered = recoveredFile(files);
  if (recovered === undefined) {
    throw new RepoError('RepoNotFound', 'the database is empty: create the repository first');
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
    // SQLite writes no WAL, and its journal is in memory.
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
 * Opens a repository for reading, over files that another process may write.
 * @param openFiles Opens the files in their present state.
 * @throws {RepoError} `Locked` if a WAL is too long to apply in memory, or if others keep writing; the codes of
 *   `openFiles` and `openSqliteBlockStore`.
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
        // A read during a write may look like damage.
        const isOfOneState = files.isCurrent();
        await files.close();
        if (isOfOneState) {
          throw error;
        }
      }
      if (tries === MAX_TRIES) {
        throw new RepoError(
          'Locked',
          `another process kept writing to the repository during ${MAX_TRIES} attempts to open it: try again later`,
        );
      }
    }
  };
  return new ReadOnlyStore(await open(), open);
};
