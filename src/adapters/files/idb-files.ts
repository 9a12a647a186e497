/**
 * The files of a database as pages in IndexedDB, for browsers and contexts without synchronous files, such as the main
 * thread of a page.
 *
 * The files are in memory while they are open. `persist` stores the changed pages in one transaction. A Web Lock keeps
 * other owners out. If a frozen page resumes and still writes, the epoch stops it: every transaction increments the
 * epoch, and a transaction that finds an unexpected epoch changes nothing. Opening writes nothing, so that a repository
 * can be read when the storage is full.
 *
 * OPFS is preferred. Chromium 156, killed during a transaction and killed again later, may consider its own log corrupt
 * and delete all IndexedDB data of the origin. Opening then rejects with `RepoNotFound`.
 */
import { get, promisifyRequest } from 'idb-keyval';
import type { UseStore } from 'idb-keyval';
import type { Bytes } from '../../core/data/bytes.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { completionOf, deleteIdbDatabase, idbDatabaseNames, openIdbDatabase } from '../origin/idb-database.ts';
import type { IdbDatabase } from '../origin/idb-database.ts';
import { RELEASE_MS } from '../origin/timeout.ts';
import type { WaitOptions } from '../origin/timeout.ts';
import { assertRepoName } from '../origin/repo-name.ts';
import { takeWebLock } from '../origin/web-lock.ts';
import type { ReleaseLock } from '../origin/web-lock.ts';
import { isBytes } from '../../core/data/platform-values.ts';
import { FILE_NAMES, JOURNAL_NAME, MAIN_NAME, PAGE_SIZE, WAL_NAME } from '../../core/storage/layout.ts';
import { PagedFile } from './paged-file.ts';

/** Pages per read: 8 MiB. */
const PAGES_AT_ONCE = 2048;

/** The key in the store `state`. */
const FILES = 'files';

type FileName = (typeof FILE_NAMES)[number];

/** The state of the files, stored beside their pages. */
interface FilesState {
  /** The number of `persist` transactions. */
  readonly epoch: number;
  /**
   * A new random number per transaction. If site data was cleared and a repository of the same name was created, that
   * one may have the same epoch.
   */
  readonly mark?: number;
  readonly sizes: Readonly<Record<FileName, number>>;
}

const NOTHING: FilesState = { epoch: 0, sizes: { [MAIN_NAME]: 0, [JOURNAL_NAME]: 0, [WAL_NAME]: 0 } };

export interface OpenIdbOptions extends WaitOptions {
  /** Creates the database, and refuses an existing one. Default: it must exist. */
  readonly create?: boolean | undefined;
}

/**
 * Opens the files of a repository, and locks them until `close`. Reads them into memory.
 * @throws {RepoError} `RepoNotFound`, `RepoExists` (with `create`), `Locked`, `Corrupt` if pages are missing,
 *   `UnknownVersion`, `StorageFull`, `StorageFailed`. Nothing stays open or locked then.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const openIdbFiles = async (name: string, options: OpenIdbOptions = {}): Promise<IdbFiles> => {
  assertRepoName(name);
  const { create = false, waitMs = RELEASE_MS } = options;
  const release = await takeWebLock(lockOf(name), waitMs);
  let database: IdbDatabase | undefined;
  try {
    database = await openIdbDatabase(name, create);
    const stored = database === undefined ? undefined : await readFiles(database);
    const hasContent = stored !== undefined && isContent(stored.state);
    if (create && hasContent) {
      throw new RepoError(
        'RepoExists',
        `the repository already exists: open it with openRepo, or choose another name; name=${name}`,
      );
    }
    if (database === undefined || stored === undefined || (!create && !hasContent)) {
      throw new RepoError(
        'RepoNotFound',
        `the repository is missing: check the name, or create it with createRepo; name=${name}`,
      );
    }
    return new IdbFiles(database, stored.state, stored.files, release);
  } catch (error) {
    database?.close();
    await release();
    throw toStorageError(error, `opening ${name}`);
  }
};

const lockOf = (name: string): string => `pdsdb-files:${name}`;

/**
 * Whether the files have a repository. An empty database without a WAL comes from an interrupted creation.
 */
const isContent = ({ sizes }: FilesState): boolean => sizes[MAIN_NAME] > 0 || sizes[WAL_NAME] > 0;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const isFilesState = (value: unknown): value is FilesState => {
  const { epoch, sizes } = (value ?? {}) as Partial<FilesState>;
  return isCount(epoch) && FILE_NAMES.every((file) => isCount(sizes?.[file]));
};

const readState = async (store: UseStore): Promise<FilesState> => {
  const state = await get<unknown>(FILES, store);
  if (state === undefined) {
    // The database was created, and nothing was persisted yet.
    return NOTHING;
  }
  if (!isFilesState(state)) {
    throw new RepoError(
      'Corrupt',
      'the stored sizes of the files are not numbers: delete the repository, and import it from a CAR or a backup',
    );
  }
  return state;
};

/** Reads all files in one transaction, so that they have one state. */
const readFiles = (database: IdbDatabase): Promise<{ state: FilesState; files: PagedFile[] }> =>
  database.begin(() => [...FILE_NAMES, 'state'], 'readonly', readFilesIn);

const readFilesIn = async (transaction: IDBTransaction): Promise<{ state: FilesState; files: PagedFile[] }> => {
  const state = await readState(async (_mode, run) => run(transaction.objectStore('state')));
  const files: PagedFile[] = [];
  for (const file of FILE_NAMES) {
    files.push(await readFile(transaction.objectStore(file), state.sizes[file]));
  }
  return { state, files };
};

const readFile = async (store: IDBObjectStore, size: number): Promise<PagedFile> => {
  const count = Math.ceil(size / PAGE_SIZE);
  const pages: Bytes[] = [];
  while (pages.length < count) {
    const first = pages.length;
    const last = Math.min(first + PAGES_AT_ONCE, count) - 1;
    const found = await promisifyRequest(store.getAll(IDBKeyRange.bound(first, last)));
    if (found.length !== last - first + 1 || !found.every(isPage)) {
      throw new RepoError(
        'Corrupt',
        `pages of the database are missing: delete the repository, and import it from a CAR or a backup; file=${store.name} from=${first} to=${last}`,
      );
    }
    for (const page of found) {
      pages.push(page);
    }
  }
  return new PagedFile(pages, size);
};

const isPage = (value: unknown): value is Bytes => isBytes(value) && value.length === PAGE_SIZE;

/** Open files. Use {@link openIdbFiles}. */
export class IdbFiles implements DatabaseFiles {
  readonly durableOn = 'persist';
  readonly main: PagedFile;
  readonly journal: PagedFile;
  readonly wal: PagedFile;
  readonly #database: IdbDatabase;
  readonly #release: ReleaseLock;
  #closing: Promise<void> | undefined;
  /** The state that the next transaction must find. */
  #state: FilesState;
  #pagesPersisted = 0;
  /** The error of a failed `persist`. Memory and storage differ from then on. */
  #failure: RepoError | undefined;

  /** Takes the files in the order of their names. */
  constructor(database: IdbDatabase, state: FilesState, files: readonly PagedFile[], release: ReleaseLock) {
    const [main, journal, wal] = files as [PagedFile, PagedFile, PagedFile];
    this.main = main;
    this.journal = journal;
    this.wal = wal;
    this.#database = database;
    this.#state = state;
    this.#release = release;
  }

  /** The number of pages that were stored since these files were opened. */
  get pagesPersisted(): number {
    return this.#pagesPersisted;
  }

  /** @throws {RepoError} `Locked` if another owner has written the files; `StorageFull`, `StorageFailed`, `Closed`. */
  async persist(): Promise<void> {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', 'the files are closed: open the repository again');
    }
    if (this.#failure !== undefined) {
      throw new RepoError('StorageFailed', 'an earlier write has failed: close the repository and open it again', {
        cause: this.#failure,
      });
    }
    try {
      await this.#store();
    } catch (error) {
      this.#failure = toStorageError(error, 'storing the changes');
      throw this.#failure;
    }
  }

  /** Discards changes that were not persisted. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#files.forEach(([, file]) => file.close());
    this.#database.close();
    await this.#release();
  }

  get #files(): readonly (readonly [FileName, PagedFile])[] {
    return [
      [MAIN_NAME, this.main],
      [JOURNAL_NAME, this.journal],
      [WAL_NAME, this.wal],
    ];
  }

  /** Makes all requests in this turn, unless the browser has closed the connection: the present pages are stored. */
  async #store(): Promise<void> {
    if (this.#changed.length > 0) {
      // After a reconnection, more pages may have changed, or a concurrent `persist` has stored them.
      await this.#database.begin(
        () => [...this.#changed.map(([name]) => name), 'state'],
        'readwrite',
        (transaction) => this.#storeIn(transaction),
      );
    }
  }

  get #changed(): (readonly [FileName, PagedFile])[] {
    return this.#files.filter(([, file]) => file.hasChanged);
  }

  /** Makes all requests in one turn, because a transaction without pending requests ends. */
  async #storeIn(transaction: IDBTransaction): Promise<void> {
    const completed = completionOf(transaction);
    const state = transaction.objectStore('state');
    // Updated at once, because a transaction that is requested before this one completes runs after it.
    const expected = this.#state;
    const sizes = {
      [MAIN_NAME]: this.main.getSize(),
      [JOURNAL_NAME]: this.journal.getSize(),
      [WAL_NAME]: this.wal.getSize(),
    };
    this.#state = { epoch: expected.epoch + 1, mark: Math.random(), sizes };
    let isOutdated = false;
    const before = state.get(FILES);
    before.onsuccess = () => {
      const found = (before.result ?? NOTHING) as FilesState;
      if (found.epoch !== expected.epoch || found.mark !== expected.mark) {
        isOutdated = true;
        transaction.abort();
      }
    };
    try {
      this.#changed.forEach(([name, file]) => this.#putPages(transaction.objectStore(name), file));
      state.put(this.#state, FILES);
    } catch (error) {
      // The caller gets this error. The abort that follows adds nothing.
      completed.catch(() => undefined);
      transaction.abort();
      throw error;
    }
    try {
      await completed;
    } catch (error) {
      throw isOutdated
        ? new RepoError(
            'Locked',
            'another tab or worker has written to the repository meanwhile: close it and open it again',
          )
        : error;
    }
  }

  /** `put` copies a page at once, so that the file may be written while its pages are stored. */
  #putPages(store: IDBObjectStore, file: PagedFile): void {
    const { pages, size } = file.takeChanges();
    for (const [index, page] of pages) {
      store.put(page, index);
    }
    store.delete(IDBKeyRange.lowerBound(Math.ceil(size / PAGE_SIZE)));
    this.#pagesPersisted += pages.length;
  }
}

/**
 * Returns whether IndexedDB has this repository, even if it cannot be opened.
 * @throws {RepoError} `StorageFailed`.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const hasIdbRepo = async (name: string): Promise<boolean> => {
  try {
    const database = await openIdbDatabase(name, false);
    try {
      return database !== undefined && isContent(await readState(database.store('state')));
    } finally {
      database?.close();
    }
  } catch (error) {
    if (isRepoError(error, 'UnknownVersion') || isRepoError(error, 'Corrupt')) {
      return true;
    }
    throw toStorageError(error, `looking for ${name}`);
  }
};

/** Returns the sorted names of the repositories in IndexedDB. Returns `[]` if the browser has no IndexedDB. */
export const listIdbRepos = async (): Promise<string[]> => {
  const names: string[] = [];
  for (const name of await idbDatabaseNames()) {
    if (await hasIdbRepo(name)) {
      names.push(name);
    }
  }
  return names;
};

/**
 * Deletes a repository with its blobs. Does nothing if it is missing.
 * @throws {RepoError} `Locked` if it is open; `StorageFailed`.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const deleteIdbRepo = async (name: string, { waitMs = RELEASE_MS }: WaitOptions = {}): Promise<void> => {
  assertRepoName(name);
  const release = await takeWebLock(lockOf(name), waitMs);
  try {
    await deleteIdbDatabase(name);
  } finally {
    await release();
  }
};
