/**
 * The IndexedDB database of one repository: its pages, its blobs, and who owns them. https://w3c.github.io/IndexedDB/
 */
import { promisifyRequest } from 'idb-keyval';
import type { UseStore } from 'idb-keyval';
import { RepoError } from '../../core/errors.ts';
import { FILE_NAMES } from '../../core/storage/layout.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import { assertRepoName, isRepoName } from './repo-name.ts';
import { errorName } from '../../core/data/platform-values.ts';

/** What the names of our databases begin with; the name of the repository follows. */
const PREFIX = 'pdsdb:';

const VERSION = 1;

/**
 * What is kept apart, each under keys of its own kind: the pages of the three files under their numbers, blobs under
 * the text of their CIDs, and in `state` the sizes of the files and how often they were stored.
 */
export type IdbStore = (typeof FILE_NAMES)[number] | 'blobs' | 'state';
export const IDB_STORES: readonly IdbStore[] = [...FILE_NAMES, 'blobs', 'state'];

/**
 * Resolves when a transaction is complete, and rejects with why it was aborted. idb-keyval's `promisifyRequest` rejects
 * with null where a request failed: the request's error event passes the transaction before that knows its error.
 */
export const completionOf = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

/** Opens a connection; `undefined` when there is no database, and none is to be made. */
type Connect = () => Promise<IDBDatabase | undefined>;

/** The database of one repository. */
export class IdbDatabase {
  readonly #connect: Connect;
  #connection: IDBDatabase;
  /** Whether the browser has closed the connection. */
  #isGone = false;
  #connecting: Promise<void> | undefined;
  /** Why there are no transactions any more. */
  #lost: RepoError | undefined;

  /** For a connection that is open; see {@link openIdbDatabase}. */
  constructor(connection: IDBDatabase, connect: Connect) {
    this.#connection = connection;
    this.#connect = connect;
    this.#watch(connection);
  }

  /**
   * Begins a transaction that is durable, not only done, when it is complete: the default may be lost in a power cut.
   * `use` makes its requests at once, in this turn. Only when the browser has closed the connection, as it does on iOS
   * for pages in the background, is it opened again first: nothing of the transaction has happened then. That is tried
   * once; `scope` is asked again. Whether what is there now is still what was there is for `use` to see.
   * @throws {RepoError} `Closed` after `close`; `StorageFailed` when the database is gone.
   */
  async begin<T>(
    scope: () => readonly IdbStore[],
    mode: IDBTransactionMode,
    use: (transaction: IDBTransaction) => T,
  ): Promise<Awaited<T>> {
    const transaction = this.#transaction(scope, mode);
    if (transaction !== undefined) {
      return await use(transaction);
    }
    // One for all who wait for it, who go on in their order.
    await (this.#connecting ??= this.#reconnect());
    const again = this.#transaction(scope, mode);
    if (again === undefined) {
      throw new RepoError('StorageFailed', 'the browser has closed the database');
    }
    return await use(again);
  }

  /** One of the stores, for the functions of idb-keyval. */
  store(name: IdbStore): UseStore {
    return (mode, run) =>
      this.begin(
        () => [name],
        mode,
        (transaction) => run(transaction.objectStore(name)),
      );
  }

  /** Waits for nothing: transactions that have begun are completed. A second call does nothing. */
  close(): void {
    this.#lost ??= new RepoError('Closed', 'the database is closed');
    this.#connection.close();
  }

  /** `undefined` when the browser has closed the connection. */
  #transaction(scope: () => readonly IdbStore[], mode: IDBTransactionMode): IDBTransaction | undefined {
    if (this.#lost !== undefined) {
      throw this.#lost;
    }
    try {
      return this.#isGone ? undefined : this.#connection.transaction(scope(), mode, { durability: 'strict' });
    } catch (error) {
      if (errorName(error) === 'InvalidStateError') {
        // It is closing, and its event has not come yet.
        this.#isGone = true;
        return undefined;
      }
      throw toStorageError(error, 'a transaction');
    }
  }

  async #reconnect(): Promise<void> {
    try {
      const connection = await this.#connect();
      if (connection === undefined) {
        // Site data was cleared. A new database would be an empty repository.
        throw new RepoError('StorageFailed', 'the browser has closed the database, and it is there no more');
      }
      if (this.#lost !== undefined) {
        connection.close();
        throw this.#lost;
      }
      this.#connection = connection;
      this.#isGone = false;
      this.#watch(connection);
    } catch (error) {
      this.#lost ??= toStorageError(error, 'opening the database again');
      throw this.#lost;
    } finally {
      this.#connecting = undefined;
    }
  }

  #watch(connection: IDBDatabase): void {
    connection.onversionchange = () => {
      // Whoever deletes the database, or brings it to a newer version, waits until everybody has let go of it.
      this.#lost ??= new RepoError('StorageFailed', 'the database was deleted or changed by somebody else');
      connection.close();
    };
    connection.onclose = () => {
      this.#isGone ||= connection === this.#connection;
    };
  }
}

/**
 * Opens the database of a repository; `undefined` when there is none, unless it is to be made.
 * @throws {RepoError} `UnknownVersion` when a newer version of this library made it; `StorageFull`, `StorageFailed`.
 * @throws {TypeError} when the name cannot be a repository's.
 */
export const openIdbDatabase = async (name: string, create: boolean): Promise<IdbDatabase | undefined> => {
  assertRepoName(name);
  const connection = await connect(name, create);
  return connection && new IdbDatabase(connection, () => connect(name, false));
};

const connect = async (name: string, create: boolean): Promise<IDBDatabase | undefined> => {
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
    return await promisifyRequest(request);
  } catch (cause) {
    if (isMissing) {
      return undefined;
    }
    if (errorName(cause) === 'VersionError') {
      throw new RepoError(
        'UnknownVersion',
        'a newer version of this library made the database, and is needed to open it',
        { cause },
      );
    }
    throw toStorageError(cause, `opening ${name}`);
  }
};

/**
 * The names of the repositories that have a database, whatever is in it, in order. None where there is no IndexedDB.
 */
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
 * @throws {RepoError} `StorageFailed`; `Unsupported` where there is no IndexedDB.
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
    throw new RepoError('Unsupported', 'there is no IndexedDB here');
  }
  return indexedDB;
};
