/**
 * The files of a database as pages in IndexedDB, for browsers and places without synchronous files: also for the main
 * thread of a page.
 *
 * The files are in memory while they are open. `persist` stores the pages that have changed, in one transaction. Nobody
 * has IndexedDB to himself: a Web Lock keeps others out, and where that fails (a page that was frozen and comes back),
 * the epoch does. Every transaction changes it, and one that finds another than it expects changes nothing. Opening
 * writes nothing, so that a repository can be read when there is no more room.
 *
 * It is second to OPFS where there is that: Chromium 156, killed in the middle of a transaction and killed again some
 * time later, may take its own log for corrupt and throw away all that an origin has here. A repository is
 * `RepoNotFound` then.
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

/** How many pages are read at a time: 8 MiB of them. */
const PAGES_AT_ONCE = 2048;

/** The key in the store `state`. */
const FILES = 'files';

type FileName = (typeof FILE_NAMES)[number];

/** What is known of the files beside their pages. */
interface FilesState {
  /** How often they were persisted. */
  readonly epoch: number;
  /**
   * Drawn anew each time: a repository of this name that was made since site data was cleared may have come to the same
   * epoch.
   */
  readonly mark?: number;
  readonly sizes: Readonly<Record<FileName, number>>;
}

const NOTHING: FilesState = { epoch: 0, sizes: { [MAIN_NAME]: 0, [JOURNAL_NAME]: 0, [WAL_NAME]: 0 } };

export interface OpenIdbOptions extends WaitOptions {
  /** Makes the database, and refuses one that is there. When left out, it has to be there. */
  readonly create?: boolean | undefined;
}

/**
 * Opens the files of a repository, and owns them until `close`. Reads the whole of them into memory.
 * @throws {RepoError} `RepoNotFound`, `RepoExists` (with `create`), `Locked`, `Corrupt` when pages are missing,
 *   `UnknownVersion`, `StorageFull`, `StorageFailed`. Nothing stays open or locked then.
 * @throws {TypeError} when the name cannot be a repository's.
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
        `there is a repository of this name already: open it with openRepo, or choose another name; name=${name}`,
      );
    }
    if (database === undefined || stored === undefined || (!create && !hasContent)) {
      throw new RepoError('RepoNotFound', `there is no repository of this name; name=${name}`);
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
 * Whether there is a repository. An empty database without a log is a creation that was interrupted, before anything
 * was promised.
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
    // The database was made, and nothing was ever persisted.
    return NOTHING;
  }
  if (!isFilesState(state)) {
    throw new RepoError('Corrupt', 'the sizes of the files are not numbers');
  }
  return state;
};

/** Reads in one transaction, so that all of it is of one moment. */
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
      throw new RepoError('Corrupt', `pages are missing; file=${store.name} from=${first} to=${last}`);
    }
    for (const page of found) {
      pages.push(page);
    }
  }
  return new PagedFile(pages, size);
};

const isPage = (value: unknown): value is Bytes => isBytes(value) && value.length === PAGE_SIZE;

/** Open files. Exported as a type: {@link openIdbFiles} makes them. */
export class IdbFiles implements DatabaseFiles {
  readonly durableOn = 'persist';
  readonly main: PagedFile;
  readonly journal: PagedFile;
  readonly wal: PagedFile;
  readonly #database: IdbDatabase;
  readonly #release: ReleaseLock;
  #closing: Promise<void> | undefined;
  /** What has to be found when the next changes are stored. */
  #state: FilesState;
  #pagesPersisted = 0;
  /** What ended the last `persist`. From then on memory and storage are not the same. */
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

  /** How many pages were stored since these files were opened. */
  get pagesPersisted(): number {
    return this.#pagesPersisted;
  }

  /** @throws {RepoError} `Locked` when somebody else has taken the files; `StorageFull`, `StorageFailed`, `Closed`. */
  async persist(): Promise<void> {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', 'the files are closed');
    }
    if (this.#failure !== undefined) {
      throw new RepoError('StorageFailed', 'the files have failed and have to be opened again', {
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

  /** Persists nothing: what was not persisted is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #letGo(): Promise<void> {
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

  /** Where nobody has closed the connection, all of it happens in this turn: what is stored is what is there now. */
  async #store(): Promise<void> {
    if (this.#changed.length > 0) {
      // After a connection was opened again there may be more to store, or others who waited have stored it: then this
      // waits for them.
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

  /** All requests are made in this one turn: a transaction ends by itself when it has none left. */
  async #storeIn(transaction: IDBTransaction): Promise<void> {
    const completed = completionOf(transaction);
    const state = transaction.objectStore('state');
    // Moved on at once: a transaction that is asked for before this one is complete runs after it.
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
      // The caller hears of the error that is thrown here; the abort that follows from it says no more.
      completed.catch(() => undefined);
      transaction.abort();
      throw error;
    }
    try {
      await completed;
    } catch (error) {
      throw isOutdated
        ? new RepoError('Locked', 'another tab or worker has written to the repository meanwhile')
        : error;
    }
  }

  /** The pages are copied by each `put`, at once, so that the file may be written to while they are stored. */
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
 * Whether a repository is kept here, also one that does not open.
 * @throws {RepoError} `StorageFailed`.
 * @throws {TypeError} when the name cannot be a repository's.
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

/** The names of the repositories that are kept here, in order. None where there is no IndexedDB. */
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
 * Removes a repository with its blobs; one that is not there is no error.
 * @throws {RepoError} `Locked` when somebody has it open; `StorageFailed`.
 * @throws {TypeError} when the name cannot be a repository's.
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
