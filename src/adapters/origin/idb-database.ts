/**
 * The IndexedDB database of one repository, with its pages and blobs. https://w3c.github.io/IndexedDB/
 */
import { promisifyRequest } from 'idb-keyval';
import type { UseStore } from 'idb-keyval';
import { RepoError } from '../../core/errors.ts';
import { FILE_NAMES } from '../../core/storage/layout.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import { assertRepoName, isRepoName } from './repo-name.ts';
import { errorName } from '../../core/data/platform-values.ts';

/** The prefix of our database names. The name of the repository follows. */
const PREFIX = 'pdsdb:';

const VERSION = 1;

/**
 * The object stores: the pages of each of the three files by page number, the blobs by the text of their CIDs, and in
 * `state` the sizes of the files and the epoch.
 */
export type IdbStore = (typeof FILE_NAMES)[number] | 'blobs' | 'state';
export const IDB_STORES: readonly IdbStore[] = [...FILE_NAMES, 'blobs', 'state'];

/**
 * Resolves when a transaction is complete. Rejects with its error if it is aborted. idb-keyval's `promisifyRequest`
 * would reject with null after a failed request, because the request's error event comes before the transaction's
 * error.
 */
export const completionOf = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

/** Opens a connection. Returns `undefined` if the database is missing. */
type Connect = () => Promise<IDBDatabase | undefined>;

/** The database of one repository. */
export class IdbDatabase {
  readonly #connect: Connect;
  #connection: IDBDatabase;
  /** Whether the browser has closed the connection. */
  #isGone = false;
  #connecting: Promise<void> | undefined;
  /** The error of every later transaction, once it is set. */
  #lost: RepoError | undefined;

  /** Use {@link openIdbDatabase}. */
  constructor(connection: IDBDatabase, connect: Connect) {
    this.#connection = connection;
    this.#connect = connect;
    this.#watch(connection);
  }

  /**
   * Begins a transaction with strict durability, because the default may be lost in a power cut. `use` makes its
   * requests in this turn. If the browser has closed the connection, as iOS does for pages in the background, the
   * connection is opened again once, and `scope` is called again. `use` must check that the content has not changed
   * meanwhile.
   * @throws {RepoError} `Closed` after `close`; `StorageFailed` if the database was deleted.
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
    // All waiting calls share one reconnection, and continue in their order.
    await (this.#connecting ??= this.#reconnect());
    const again = this.#transaction(scope, mode);
    if (again === undefined) {
      throw new RepoError('StorageFailed', 'the browser has closed the database again: open the repository again');
    }
    return await use(again);
  }

  /** Returns one of the stores, for the functions of idb-keyval. */
  store(name: IdbStore): UseStore {
    return (mode, run) =>
      this.begin(
        () => [name],
        mode,
        (transaction) => run(transaction.objectStore(name)),
      );
  }

  /** Closes the connection. Begun transactions still complete. A second call does nothing. */
  close(): void {
    this.#lost ??= new RepoError('Closed', 'the database is closed: open the repository again');
    this.#connection.close();
  }

  /** Returns `undefined` if the browser has closed the connection. */
  #transaction(scope: () => readonly IdbStore[], mode: IDBTransactionMode): IDBTransaction | undefined {
    if (this.#lost !== undefined) {
      throw this.#lost;
    }
    try {
      return this.#isGone ? undefined : this.#connection.transaction(scope(), mode, { durability: 'strict' });
    } catch (error) {
      if (errorName(error) === 'InvalidStateError') {
        // The connection is closing, and its event has not come yet.
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
        throw new RepoError(
          'StorageFailed',
          'the browser has deleted the database: create the repository again with createRepo',
        );
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
      // A deletion or an upgrade of the database waits until all connections are closed.
      this.#lost ??= new RepoError(
        'StorageFailed',
        'another tab has deleted or upgraded the database: open the repository again',
      );
      connection.close();
    };
    connection.onclose = () => {
      this.#isGone ||= connection === this.#connection;
    };
  }
}

/**
 * Opens the database of a repository. If it is missing, creates it with `create`; otherwise returns `undefined`.
 * @throws {RepoError} `UnknownVersion` if a newer version of this library created it; `StorageFull`, `StorageFailed`.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const openIdbDatabase = async (name: string, create: boolean): Promise<IdbDatabase | undefined> => {
  assertRepoName(name);
  const connection = await connect(name, create);
  return connection && new IdbDatabase(connection, () => connect(name, false));
};

const connect = async (name: string, create: boolean): Promise<IDBDatabase | undefined> => {
  // Checked first, because WebKit keeps the name of a database whose creation was aborted.
  if (!create && !(await idbDatabaseNames()).includes(name)) {
    return undefined;
  }
  const request = factory().open(PREFIX + name, VERSION);
  let isMissing = false;
  request.onupgradeneeded = () => {
    if (create) {
      IDB_STORES.forEach((store) => request.result.createObjectStore(store));
    } else {
      // Deleted meanwhile: opening would create it again.
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
        `a newer version of pdsdb wrote the repository: reload the page, or update pdsdb; name=${name}`,
        { cause },
      );
    }
    throw toStorageError(cause, `opening ${name}`);
  }
};

/**
 * Returns the sorted names of all repositories with a database, also an empty one. Returns `[]` without IndexedDB.
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
 * Deletes a repository's database. Does nothing if it is missing. Closes all connections to it.
 * @throws {RepoError} `StorageFailed`; `Unsupported` without IndexedDB.
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
    throw new RepoError(
      'Unsupported',
      'IndexedDB is missing here: use another browser, or allow the site to store data',
    );
  }
  return indexedDB;
};
