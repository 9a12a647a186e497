/** Creates or opens a block store over a database. */
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import type { Schema } from './schema.ts';
import { createSchema, openSchema } from './schema.ts';
import type { SqliteBlockStoreOptions } from './block-store.ts';
import type { StoreDatabase } from './store-database.ts';
import { SqliteBlockStore } from './block-store.ts';

/**
 * Creates a repository of an account in an empty database, and opens it. The store then owns the database and the
 * files. It closes them in `close`, or at once if this rejects.
 * @throws {RepoError} `RepoExists` if the database is not empty; `InvalidDid`, `StorageFull`, `StorageFailed`.
 */
export const createSqliteBlockStore = (
  database: StoreDatabase,
  files: DatabaseFiles,
  did: string,
  options?: SqliteBlockStoreOptions,
): Promise<SqliteBlockStore> => openStore(database, files, () => createSchema(database, did), options);

/**
 * Opens the repository in a database. The store owns the database and the files, as in {@link createSqliteBlockStore}.
 * @throws {RepoError} `RepoNotFound` if the database is empty; `UnknownVersion`; `Corrupt` if it is not a repository;
 *   `StorageFull`, `StorageFailed`.
 */
export const openSqliteBlockStore = (
  database: StoreDatabase,
  files: DatabaseFiles,
  options?: SqliteBlockStoreOptions,
): Promise<SqliteBlockStore> =>
  openStore(database, files, () => openSchema(database, { isReadOnly: options?.isReadOnly }), options);

const openStore = async (
  database: StoreDatabase,
  files: DatabaseFiles,
  schema: () => Schema,
  options: SqliteBlockStoreOptions | undefined,
): Promise<SqliteBlockStore> => {
  try {
    const store = new SqliteBlockStore(database, files, schema(), options);
    await files.persist();
    return store;
  } catch (error) {
    // A refused database and its WAL stay unchanged.
    database.abandon();
    // The first error is the cause; an error of closing would hide it.
    await files.close().catch(() => undefined);
    throw error;
  }
};
