/**
 * Repositories in browsers, for pages. A worker of the page's own has the files (see `pdsdb/worker`); what is opened
 * here asks it. Several tabs may have one repository open, and all may write.
 *
 * A server that renders a page may import it: every function then rejects with `Unsupported`.
 *
 * @module
 */
import type { BrowserStorage, KeptRepo } from './adapters/platform/browser-platform.ts';
import type { FolderEntry, FolderImport } from './adapters/folders/transfer.ts';
import { assertBrowser } from './adapters/origin/browser-only.ts';
import type { RepoWorker } from './adapters/rpc/connection.ts';
import { ask, giveToWorker, takeFromWorker } from './adapters/rpc/ask-worker.ts';
import { sharedLocks } from './adapters/rpc/locks.ts';
import { openRemote } from './adapters/tabs/open-remote.ts';
import type { CarSource } from './core/car/source.ts';
import { isRepoError } from './core/errors.ts';
import type { ImportOptions } from './core/repo/long-work.ts';
import { openOrCreate } from './core/repo/open-or-create.ts';
import type { Validate } from './core/repo/record.ts';
import type { Repo } from './core/repo/repo.ts';
import { carWithDid } from './core/repo/transfer/car-with-did.ts';
import type { ImportedRepo } from './core/repo/transfer/imported-repo.ts';
import { importedRepo } from './core/repo/transfer/imported-repo.ts';
import type { Signer } from './core/crypto/signer.ts';
import { assertDid } from './core/syntax/identifiers.ts';

export type { BrowserStorage, KeptRepo } from './adapters/platform/browser-platform.ts';
export type { FolderContent, FolderEntry, FolderImport } from './adapters/folders/transfer.ts';
export type { ImportedRepo } from './core/repo/transfer/imported-repo.ts';
export type { RepoWorker } from './adapters/rpc/connection.ts';

/**
 * A leader answers within milliseconds. One that does not in this time is frozen, or of an older version of the page.
 */
const DEFAULT_WAIT_MS = 10_000;

export interface WorkerOptions {
  /**
   * A module worker that calls `serveRepos()`, or better the function that makes one: then it is terminated when it is
   * not needed, also while the page is out of sight, where it may be frozen and keep other tabs waiting. One worker may
   * serve any number of repositories. Where there can be no worker, `createPageWorker()` of `pdsdb/worker` stands in
   * for one.
   */
  readonly worker: RepoWorker | (() => RepoWorker);
}

export interface PlaceOptions extends WorkerOptions {
  /**
   * Where the repository is kept. With `auto`, the default, where it is; a new one in OPFS, or in IndexedDB where the
   * browser keeps no files.
   */
  readonly storage?: BrowserStorage | 'auto' | undefined;
}

export interface RepoOptions extends PlaceOptions {
  /** Signs the commits that are made here; it stays in the page. Without one they are not signed. */
  readonly signer?: Signer | undefined;
  /**
   * Checks each record that is written here, by its collection and its JSON form, before anything is stored. What it
   * throws is what the write rejects with. It runs in the page.
   */
  readonly validate?: Validate | undefined;
  /** How long to wait for another tab that has it open and does not answer, in milliseconds. 10,000 when left out. */
  readonly waitMs?: number | undefined;
  /** Asks the browser to keep what is stored when room gets short; some ask the user. `info()` says whether it does. */
  readonly persist?: boolean | undefined;
}

export interface OpenOptions extends RepoOptions {
  /** Opens the repository for reading: whatever writes rejects with `ReadOnly`. Other tabs may write, and are seen. */
  readonly readOnly?: boolean | undefined;
}

export interface CreateOptions extends RepoOptions {
  /** The account that the repository is of. */
  readonly did: string;
}

/** How to open the repository, and how to import. */
export interface ImportRepoOptions extends RepoOptions, ImportOptions {}

/**
 * Makes a repository of this name and opens it. It has no commit yet. A name is 1 to 255 of `A-Z a-z 0-9 . _ : % -`,
 * beginning with a letter or a digit: a DID is one.
 *
 * @example
 * ```ts
 * import { createRepo } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * const repo = await createRepo('alice', { did: 'did:web:alice.example.com', worker });
 * await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: new Date().toISOString() });
 * ```
 * @throws {RepoError} `InvalidDid`; `RepoExists` when there is one; `StorageFull`, `StorageFailed`, also when the
 *   worker does not start; `Locked` when another tab is at it and does not answer.
 */
export const createRepo = async (name: string, { did, ...options }: CreateOptions): Promise<Repo> => {
  assertDid(did);
  return open(name, did, options);
};

/**
 * Opens a repository, also while other tabs have it open. When the tab that has the files goes away another takes over:
 * reads are asked again, and so are writes, which happen once. A write of which nobody can tell whether it has happened
 * rejects with `OutcomeUnknown`; so does an import of a stream, which cannot be read twice.
 *
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * const repo = await openRepo('alice', { worker });
 * repo.onChange(({ created }) => console.log(created));
 * ```
 * @throws {RepoError} `RepoNotFound`; `Locked` when another tab has it open and does not answer; `UnknownVersion`;
 *   `Corrupt`; `StorageFull`, `StorageFailed`, also when the worker does not start.
 */
export const openRepo = (name: string, options: OpenOptions): Promise<Repo> => open(name, undefined, options);

/**
 * Opens the repository of an account, and makes it where there is none.
 *
 * @example
 * ```ts
 * import { openOrCreateRepo } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * const repo = await openOrCreateRepo('alice', { did: 'did:web:alice.example.com', worker });
 * ```
 * @throws {RepoError} `WrongDid` when the repository is of another account; as {@link openRepo} and {@link createRepo}
 *   do.
 */
export const openOrCreateRepo = (name: string, { did, ...options }: CreateOptions): Promise<Repo> =>
  openOrCreate(
    did,
    () => open(name, undefined, options),
    () => open(name, did, options),
  );

/**
 * Makes a repository of this name from a CAR, and opens it. The CAR says which account it is of; `did` and `key` of the
 * options say which one it has to be. All is checked, as by `importCar`. There is no repository if it rejects. A page
 * that ends meanwhile may leave an empty one, which the next `importRepo` of the account fills.
 *
 * @example
 * ```ts
 * import { importRepo } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * const repo = await importRepo('alice', await (await fetch('/alice.car')).blob(), { worker });
 * console.log(repo.did, repo.imported.created);
 * ```
 * @throws {RepoError} `RepoExists` when there is one with a commit, or of another account; as {@link Repo.importCar}
 *   and {@link createRepo} do; `LimitExceeded` when the commit of a stream is not among its first 64 MiB: a `Blob` has
 *   no such limit.
 */
export const importRepo = async (name: string, car: CarSource, options: ImportRepoOptions): Promise<ImportedRepo> => {
  const { did, source, close } = await carWithDid(car, options);
  try {
    return await importNew(name, did, source, options);
  } finally {
    await close();
  }
};

const importNew = async (
  name: string,
  did: string,
  source: CarSource,
  options: ImportRepoOptions,
): Promise<ImportedRepo> => {
  const { worker, storage, signer, validate, waitMs, persist, ...how } = options;
  const { repo, isNew } = await openEmpty(name, did, { worker, storage, signer, validate, waitMs, persist });
  try {
    return importedRepo(repo, await repo.importCar(source, how));
  } catch (error) {
    await repo.close();
    if (isNew) {
      await deleteRepo(name, { worker }).catch(() => {
        // Another tab has opened it meanwhile. What went wrong first is what the caller has to hear.
      });
    }
    throw error;
  }
};

/** A new repository, or one of the account that has no commit. */
const openEmpty = async (
  name: string,
  did: string,
  options: RepoOptions,
): Promise<{ readonly repo: Repo; readonly isNew: boolean }> => {
  try {
    return { repo: await open(name, did, options), isNew: true };
  } catch (error) {
    if (!isRepoError(error, 'RepoExists')) {
      throw error;
    }
    const repo = await open(name, undefined, options);
    if (repo.did === did && (await repo.head()) === undefined) {
      return { repo, isNew: false };
    }
    await repo.close();
    throw error;
  }
};

/** The repositories that are kept in this browser for this origin, by name. */
export const listRepos = (options: WorkerOptions): Promise<KeptRepo[]> =>
  withWorker(options, async (worker) => (await ask(worker, { do: 'list' }, sharedLocks())) as KeptRepo[]);

/**
 * Removes a repository with its blobs; one that is not there is no error.
 * @throws {RepoError} `Locked` when it is open anywhere; `StorageFailed`.
 */
export const deleteRepo = (name: string, options: WorkerOptions): Promise<void> =>
  withWorker(options, async (worker) => void (await ask(worker, { do: 'remove', name }, sharedLocks())));

/**
 * The files of a repository, as they lie in a folder on a disk: `pds.db` first, then the blobs. Each is to be read
 * before the next one is asked for. Nobody can open it until the iteration ends, which leaving it does as well.
 * @throws {RepoError} `Locked` when it is open anywhere; `RepoNotFound`; `StorageFailed`.
 */
export async function* exportFolder(
  name: string,
  { worker, storage = 'auto' }: PlaceOptions,
): AsyncGenerator<FolderEntry, void, undefined> {
  const { worker: own, release } = takeWorker(worker);
  try {
    yield* takeFromWorker(own, { do: 'exportFolder', name, storage }, sharedLocks());
  } finally {
    release();
  }
}

/**
 * Takes in the files of a folder, in any order, as a repository of this name. Nothing is there afterwards if anything
 * is wrong.
 * @throws {RepoError} `RepoExists`; `RepoNotFound` without a `pds.db`; `Malformed` when that is no repository's, or a
 *   blob not the one of its name; `StorageFull`, `StorageFailed`.
 */
export const importFolder = (
  name: string,
  files: AsyncIterable<FolderEntry> | Iterable<FolderEntry>,
  { storage = 'auto', ...options }: PlaceOptions,
): Promise<FolderImport> =>
  withWorker(
    options,
    async (worker) =>
      (await giveToWorker(worker, { do: 'importFolder', name, storage }, files, sharedLocks())) as FolderImport,
  );

const takeWorker = (worker: WorkerOptions['worker']): { readonly worker: RepoWorker; readonly release: () => void } => {
  assertBrowser(typeof worker === 'function');
  if (typeof worker !== 'function') {
    return { worker, release: () => {} };
  }
  const own = worker();
  return { worker: own, release: () => own.terminate() };
};

const withWorker = async <T>({ worker }: WorkerOptions, use: (worker: RepoWorker) => Promise<T>): Promise<T> => {
  const { worker: own, release } = takeWorker(worker);
  try {
    return await use(own);
  } finally {
    release();
  }
};

const open = async (
  name: string,
  did: string | undefined,
  {
    worker,
    signer,
    validate,
    storage = 'auto',
    waitMs = DEFAULT_WAIT_MS,
    persist = false,
    readOnly = false,
  }: OpenOptions,
): Promise<Repo> => {
  // Not in insecure contexts, and not in every browser.
  const manager = (globalThis.navigator as Navigator | undefined)?.storage as StorageManager | undefined;
  if (persist) {
    // Not waited for: some browsers ask the user, and what they answer changes nothing about opening.
    void manager?.persist().catch(() => false);
  }
  return openRemote(
    { take: () => takeWorker(worker), isFresh: typeof worker === 'function' },
    {
      name,
      did,
      storage,
      waitMs,
      signer,
      readOnly,
      validate,
      locks: sharedLocks(),
      isPersistent: async () => (await manager?.persisted()) ?? false,
    },
  );
};
