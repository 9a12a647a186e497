/** The IndexedDB database of one repository: its pages, its blobs, and who owns them. https://w3c.github.io/IndexedDB/ */
import { promisifyRequest } from 'idb-keyval';
import type { UseStore } from 'idb-keyval';
import { RepoError } from '../../core/errors.ts';
import { toStorageError } from '../../core/storage-error.ts';
import { assertRepoName, isRepoName } from './repo-name.ts';

/** What the names of our databases begin with; the name of the repository follows. */
const PREFIX = 'pdsdb:';

const VERSION = 1;

/**
 * What is kept apart, each under keys of its own kind: the pages of the three files under their numbers, blobs under the text of
 * their CIDs, and in `state` the sizes of the files and how often they were stored.
 */
export const IDB_STORES = ['pds.db', 'pds.db-journal', 'pds.db-wal', 'blobs', 'state'] as const;
export type IdbStore = (typeof IDB_STORES)[number];

/**
 * Resolves when a transaction is complete, and rejects with why it was aborted. idb-keyval's `promisifyRequest` rejects with null
 * where a request failed: the request's error event passes the transaction before that knows its error.
 */
export const completionOf = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

/** A connection to the database of one repository. */
export class IdbDatabase {
  readonly #database: IDBDatabase;
  #lost: RepoError | undefined;

  /** For a connection that is open; see {@link openIdbDatabase}. */
  constructor(database: IDBDatabase) {
    this.#database = database;
    database.onversionchange = () => {
      // Whoever deletes the database, or brings it to a newer version, waits until everybody has let go of it.
      this.#lost ??= new RepoError('StorageFailed', 'the database was deleted or changed by somebody else');
      database.close();
    };
    database.onclose = () => {
      // Site data was cleared, or the browser let the connection go, as it does on iOS for pages in the background.
      this.#lost ??= new RepoError('StorageFailed', 'the browser has closed the database');
    };
  }

  /**
   * Begins a transaction that is durable, not only done, when it is complete: the default may be lost in a power cut.
   * @throws {RepoError} `Closed` after `close`; `StorageFailed` when the connection is lost.
   */
  transaction(stores: readonly IdbStore[], mode: IDBTransactionMode): IDBTransaction {
    if (this.#lost !== undefined) {
      throw this.#lost;
    }
    try {
      return this.#database.transaction(stores, mode, { durability: 'strict' });
    } catch (error) {
      throw toStorageError(error, 'a transaction');
    }
  }

  /** One of the stores, for the functions of idb-keyval. */
  store(name: IdbStore): UseStore {
    return async (mode, run) => run(this.transaction([name], mode).objectStore(name));
  }

  /** Waits for nothing: transactions that have begun are completed. A second call does nothing. */
  close(): void {
    this.#lost ??= new RepoError('Closed', 'the database is closed');
    this.#database.close();
  }
}

/**
 * Opens the database of a repository; `undefined` when there is none, unless it is to be made.
 * @throws {RepoError} `UnknownVersion` when a newer version of this library made it; `StorageFull`, `StorageFailed`.
 * @throws {TypeError} when the name cannot be a repository's.
 */
export const openIdbDatabase = async (name: string, create: boolean): Promise<IdbDatabase | undefined> => {
  assertRepoName(name);
  // Asked first, because WebKit keeps the name of a database that was only begun.
  if (!create && !(await idbDatabaseNames()).includes(name)) {
    return undefined;
  }
  const request = factory().open(PREFIX + name, VERSION);
  let isMissing = false;
  request.onupgradeneeded = () => {
    if (create) {
      IDB_STORES.forEach((store) => request.result.createObjectStore(store));
    } else {
      // Deleted in between: opening would make it anew.
      isMissing = true;
      request.transaction?.abort();
    }
  };
  try {
    return new IdbDatabase(await promisifyRequest(request));
  } catch (cause) {
    if (isMissing) {
      return undefined;
    }
    if (cause instanceof Error && cause.name === 'VersionError') {
      throw new RepoError('UnknownVersion', 'a newer version of this library made the database, and is needed to open it', { cause });
    }
    throw toStorageError(cause, `opening ${name}`);
  }
};

/** The names of the repositories that have a database, whatever is in it, in order. None where there is no IndexedDB. */
export const idbDatabaseNames = async (): Promise<string[]> => {
  if (typeof indexedDB === 'undefined') {
    return [];
  }
  try {
    const databases = await indexedDB.databases();
    return databases
      .flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []))
      .filter(isRepoName)
      .sort();
  } catch (error) {
    throw toStorageError(error, 'listing the repositories');
  }
};

/**
 * Deletes a repository's database; one that is not there is no error. Connections to it are lost.
 * @throws {RepoError} `StorageFailed`.
 */
export const deleteIdbDatabase = async (name: string): Promise<void> => {
  assertRepoName(name);
  try {
    await promisifyRequest(factory().deleteDatabase(PREFIX + name));
  } catch (error) {
    throw toStorageError(error, `deleting ${name}`);
  }
};

const factory = (): IDBFactory => {
  if (typeof indexedDB === 'undefined') {
    throw new RepoError('StorageFailed', 'there is no IndexedDB here');
  }
  return indexedDB;
};
