/** A block store over a database: made, or opened. */
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import type { Schema } from './schema.ts';
import { createSchema, openSchema } from './schema.ts';
import type { SqliteBlockStoreOptions } from './block-store.ts';
import type { StoreDatabase } from './store-database.ts';
import { SqliteBlockStore } from './block-store.ts';

/**
 * Makes an empty database a repository of this account and opens it. From this call on database and files belong to
 * the store: they are closed with it, and at once if this rejects.
 * @throws {RepoError} `RepoExists` when the database holds anything; `InvalidDid`, `StorageFull`, `StorageFailed`.
 */
export const createSqliteBlockStore = (
  database: StoreDatabase,
  files: DatabaseFiles,
  did: string,
  options?: SqliteBlockStoreOptions,
): Promise<SqliteBlockStore> => openStore(database, files, () => createSchema(database, did), options);

/**
 * Opens the repository in a database. Database and files belong to the store as above.
 * @throws {RepoError} `RepoNotFound` when the database is empty; `UnknownVersion`; `Corrupt` when it is not a
 *   repository; `StorageFull`, `StorageFailed`.
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
    // A database that is refused is left as it is, its log among it.
    database.abandon();
    // What keeps the store from opening says more than what may then go wrong with closing.
    await files.close().catch(() => undefined);
    throw error;
  }
};
