/**
 * Repositories in browsers, for pages. A worker of the page opens the files (see `pdsdb/worker`), and the functions
 * here call that worker. Several tabs can have one repository open, and all can write.
 *
 * A server that renders pages can import this module. Every function then rejects with `Unsupported`.
 *
 * @module
 */
import type { BrowserStorage, KeptRepo } from './adapters/platform/browser-platform.ts';
import type { FolderEntry, FolderImport } from './adapters/folders/transfer.ts';
import { assertBrowser } from './adapters/origin/browser-only.ts';
import type { RepoWorker } from './adapters/tabs/connection.ts';
import { ask, takeFromWorker } from './adapters/tabs/connection.ts';
import { sharedLocks } from './adapters/origin/locks.ts';
import { openBroadcastChannel } from './adapters/tabs/channel.ts';
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
export type { RepoWorker } from './adapters/tabs/connection.ts';

/**
 * The default timeout for another tab. A leader responds within milliseconds, unless its tab is frozen or runs an older
 * version of the page.
 */
const DEFAULT_WAIT_MS = 10_000;

export interface WorkerOptions {
  /**
   * A module worker that calls `serveRepos()`, or a function that creates one. With a function, the worker is
   * terminated when it is not needed, also while the page is hidden; a hidden page may be frozen and make other tabs
   * wait. One worker can serve many repositories. Where no worker is possible, use `createPageWorker()` of
   * `pdsdb/worker`.
   */
  readonly worker: RepoWorker | (() => RepoWorker);
}

export interface PlaceOptions extends WorkerOptions {
  /**
   * Where the repository is stored. `auto`, the default, finds an existing repository. It creates a new one in OPFS, or
   * in IndexedDB if the browser has no OPFS.
   */
  readonly storage?: BrowserStorage | 'auto' | undefined;
}

export interface RepoOptions extends PlaceOptions {
  /** Signs new commits. It stays in the page. Without one, commits are unsigned. */
  readonly signer?: Signer | undefined;
  /**
   * Checks each record before a write, with its collection and its JSON form. If it throws, the write rejects with that
   * error and stores nothing. It runs in the page.
   */
  readonly validate?: Validate | undefined;
  /** Milliseconds to wait for another tab that has the repository open and does not respond. Default: 10,000. */
  readonly waitMs?: number | undefined;
  /** Requests persistent storage from the browser, which may ask the user. `info()` returns whether it was granted. */
  readonly persist?: boolean | undefined;
}

export interface OpenOptions extends RepoOptions {
  /** Opens the repository for reading: writes reject with `ReadOnly`. Writes of other tabs are visible. */
  readonly readOnly?: boolean | undefined;
}

export interface CreateOptions extends RepoOptions {
  /** The DID of the account. */
  readonly did: string;
}

/** Options to open the repository and to import the CAR. */
export interface ImportRepoOptions extends RepoOptions, ImportOptions {}

/**
 * Creates a repository without commits and opens it.
 * @param name 1 to 255 of the characters `A-Z a-z 0-9 . _ : % -`, with a letter or a digit first. A DID is valid.
 *
 * @example
 * ```ts
 * import { createRepo } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * const repo = await createRepo('alice', { did: 'did:web:alice.example.com', worker });
 * await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: new Date().toISOString() });
 * ```
 * @throws {RepoError} `InvalidDid`; `RepoExists` if the repository exists; `StorageFull`; `StorageFailed`, also if the
 *   worker does not start; `Locked` if another tab has it open and does not respond.
 */
export const createRepo = async (name: string, { did, ...options }: CreateOptions): Promise<Repo> => {
  assertDid(did);
  return open(name, did, options);
};

/**
 * Opens a repository, also while other tabs have it open. When the tab that has the files closes, another tab takes
 * over (failover). Reads are then retried, and each write is applied exactly once. If it is unknown whether a write was
 * applied, it rejects with `OutcomeUnknown`. So does an import of a stream, which cannot be read twice.
 *
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * const repo = await openRepo('alice', { worker });
 * repo.onChange(({ created }) => console.log(created));
 * ```
 * @throws {RepoError} `RepoNotFound`; `Locked` if another tab has it open and does not respond; `UnknownVersion`;
 *   `Corrupt`; `StorageFull`; `StorageFailed`, also if the worker does not start.
 */
export const openRepo = (name: string, options: OpenOptions): Promise<Repo> => open(name, undefined, options);

/**
 * Opens the repository of an account. Creates it if it is missing.
 *
 * @example
 * ```ts
 * import { openOrCreateRepo } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * const repo = await openOrCreateRepo('alice', { did: 'did:web:alice.example.com', worker });
 * ```
 * @throws {RepoError} `WrongDid` if the repository belongs to another account; the codes of {@link openRepo} and
 *   {@link createRepo}.
 */
export const openOrCreateRepo = (name: string, { did, ...options }: CreateOptions): Promise<Repo> =>
  openOrCreate(
    did,
    () => open(name, undefined, options),
    () => open(name, did, options),
  );

/**
 * Creates a repository from a CAR and opens it. The commit of the CAR names the account; `did` and `key` of the options
 * require a certain one. Everything is checked, as in {@link Repo.importCar}. If this rejects, no repository is left.
 * If the page ends meanwhile, an empty repository may be left, which the next `importRepo` of the account fills.
 *
 * @example
 * ```ts
 * import { importRepo } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * const repo = await importRepo('alice', await (await fetch('/alice.car')).blob(), { worker });
 * console.log(repo.did, repo.imported.created);
 * ```
 * @throws {RepoError} `RepoExists` if a repository with a commit, or of another account, exists; `LimitExceeded` if the
 *   commit of a stream is not in its first 64 MiB (a `Blob` has no such limit); the codes of {@link Repo.importCar} and
 *   {@link createRepo}.
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
        // Another tab has opened it meanwhile. The first error is thrown.
      });
    }
    throw error;
  }
};

/** Opens a new repository, or an existing one of the account without a commit. */
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

/**
 * Returns the repositories of this origin in this browser, sorted by name.
 *
 * @example
 * ```ts
 * import { listRepos } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * for (const { name, storage } of await listRepos({ worker })) {
 *   console.log(name, storage);
 * }
 * ```
 * @throws {RepoError} `StorageFailed`.
 */
export const listRepos = async ({ worker }: WorkerOptions): Promise<KeptRepo[]> =>
  (await ask(checked(worker), sharedLocks(), 'list')) as KeptRepo[];

/**
 * Deletes a repository with its blobs. Does nothing if it is missing.
 *
 * @example
 * ```ts
 * import { deleteRepo } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * await deleteRepo('alice', { worker });
 * ```
 * @throws {RepoError} `Locked` if any tab has it open; `StorageFailed`.
 */
export const deleteRepo = async (name: string, { worker }: WorkerOptions): Promise<void> =>
  ask(checked(worker), sharedLocks(), 'remove', name);

/**
 * Yields the files of a repository, in the layout of a folder in Node: `pds.db` first, then the blobs. Read each file
 * before you ask for the next one. The repository is locked until the iteration ends.
 *
 * @example
 * ```ts
 * import { exportFolder } from 'pdsdb/browser';
 *
 * const worker = () => new Worker(new URL('./repo-worker.ts', import.meta.url), { type: 'module' });
 * for await (const { path, content } of exportFolder('alice', { worker })) {
 *   console.log(path, await new Response(content.stream()).arrayBuffer());
 * }
 * ```
 * @throws {RepoError} `Locked` if any tab has it open; `RepoNotFound`; `StorageFailed`.
 */
export async function* exportFolder(
  name: string,
  { worker, storage = 'auto' }: PlaceOptions,
): AsyncGenerator<FolderEntry, void, undefined> {
  yield* takeFromWorker(checked(worker), sharedLocks(), name, storage);
}

/**
 * Creates a repository from the files of a folder, in any order. If this rejects, no repository is left.
 * @param files Files with their paths, such as `pds.db` and `blobs/ba/<cid>`. A `File` or `Blob` is a valid content.
 * @throws {RepoError} `RepoExists`; `RepoNotFound` if `pds.db` is missing; `Malformed` if `pds.db` is not a repository,
 *   or a blob does not match its name; `StorageFull`, `StorageFailed`.
 */
export const importFolder = async (
  name: string,
  files: AsyncIterable<FolderEntry> | Iterable<FolderEntry>,
  { worker, storage = 'auto' }: PlaceOptions,
): Promise<FolderImport> =>
  (await ask(checked(worker), sharedLocks(), 'importFolder', name, storage, each(files))) as FolderImport;

/** A stream of files, which crosses to the worker. */
async function* each(files: AsyncIterable<FolderEntry> | Iterable<FolderEntry>): AsyncGenerator<FolderEntry> {
  yield* files;
}

/** Checks that this is a browser. */
const checked = (worker: WorkerOptions['worker']): WorkerOptions['worker'] => {
  assertBrowser(typeof worker === 'function');
  return worker;
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
  // Missing in insecure contexts and in some browsers.
  const manager = (globalThis.navigator as Navigator | undefined)?.storage as StorageManager | undefined;
  if (persist) {
    // Not awaited: some browsers ask the user, and opening does not depend on the decision.
    void manager?.persist().catch(() => false);
  }
  return openRemote(checked(worker), {
    name,
    did,
    storage,
    waitMs,
    signer,
    readOnly,
    validate,
    locks: sharedLocks(),
    openChannel: openBroadcastChannel,
    isPersistent: async () => (await manager?.persisted()) ?? false,
  });
};
