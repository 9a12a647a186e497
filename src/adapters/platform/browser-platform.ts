/** The platform of a browser: files and blobs in OPFS, or in IndexedDB without OPFS. */
import { RepoError } from '../../core/errors.ts';
import { openIdbBlobs } from '../blobs/idb-blobs.ts';
import { openOpfsBlobs } from '../blobs/opfs-blobs.ts';
import { deleteIdbRepo, hasIdbRepo, listIdbRepos, openIdbFiles } from '../files/idb-files.ts';
import { deleteOpfsRepo, hasOpfsRepo, listOpfsRepos, openOpfsFiles } from '../files/opfs-files.ts';
import { hasOpfs } from '../origin/opfs.ts';
import type { WaitOptions } from '../origin/timeout.ts';
import { assertRepoName } from '../origin/repo-name.ts';
import type { RepoPlatform } from '../sqlite/open-repo.ts';

/** The storages of browsers. */
export const BROWSER_STORAGES = ['indexeddb', 'opfs'] as const;
export type BrowserStorage = (typeof BROWSER_STORAGES)[number];

export interface BrowserPlatformOptions extends WaitOptions {
  /** The compiled WebAssembly of sql.js. */
  readonly wasm: () => Promise<WebAssembly.Module>;
  /** Creates the repository's storage, and refuses an existing one. */
  readonly create?: boolean | undefined;
  /**
   * Where the repository is stored. `auto`, the default, finds an existing repository. It creates a new one in OPFS, or
   * in IndexedDB if OPFS does not work: on the main thread of a page, and in browsers and windows without OPFS.
   */
  readonly storage?: BrowserStorage | 'auto' | undefined;
}

export interface BrowserPlatform extends RepoPlatform {
  readonly storage: BrowserStorage;
  /** Whether the repository exists. Works while it is open. */
  readonly isStored: () => Promise<boolean>;
}

/** A repository that is stored in this browser. */
export interface KeptRepo {
  readonly name: string;
  readonly storage: BrowserStorage;
}

/**
 * Returns the platform of a repository.
 * @throws {RepoError} With `storage: 'auto'`: `RepoExists` with `create`, `RepoNotFound` without; `StorageFailed`.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const browserPlatform = async (name: string, options: BrowserPlatformOptions): Promise<BrowserPlatform> => {
  assertRepoName(name);
  const { wasm, create = false, storage: wanted = 'auto', waitMs } = options;
  const storage = wanted === 'auto' ? await chooseStorage(name, create) : wanted;
  if (storage === 'opfs') {
    return {
      storage,
      wasm,
      openFiles: () => openOpfsFiles(name, { create, waitMs }),
      openBlobs: () => openOpfsBlobs(name),
      isStored: () => hasOpfsRepo(name),
    };
  }
  return {
    storage,
    wasm,
    openFiles: () => openIdbFiles(name, { create, waitMs }),
    openBlobs: () => openIdbBlobs(name),
    isStored: () => hasIdbRepo(name),
  };
};

/**
 * Returns the storage of an existing repository first, even if OPFS does not work now. Otherwise a new, empty
 * repository could hide an existing one.
 */
const chooseStorage = async (name: string, create: boolean): Promise<BrowserStorage> => {
  const stored = (await hasOpfsRepo(name)) ? 'opfs' : (await hasIdbRepo(name)) ? 'indexeddb' : undefined;
  if (create) {
    if (stored !== undefined) {
      throw new RepoError(
        'RepoExists',
        `the repository already exists: open it with openRepo, or choose another name; name=${name} storage=${stored}`,
      );
    }
    return (await hasOpfs()) ? 'opfs' : 'indexeddb';
  }
  if (stored === undefined) {
    throw new RepoError(
      'RepoNotFound',
      `the repository is missing: check the name, or create it with createRepo; name=${name}`,
    );
  }
  return stored;
};

/**
 * Returns the repositories of this origin in this browser, sorted by name. If two have one name, the one in OPFS is
 * first.
 */
export const listBrowserRepos = async (): Promise<KeptRepo[]> => {
  const opfs = (await listOpfsRepos()).map((name): KeptRepo => ({ name, storage: 'opfs' }));
  const idb = (await listIdbRepos()).map((name): KeptRepo => ({ name, storage: 'indexeddb' }));
  return [...opfs, ...idb].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
};

/**
 * Deletes a repository with its blobs from every storage. Does nothing if it is missing.
 * @throws {RepoError} `Locked` if it is open; `StorageFailed`, also if it is in OPFS and this is not a dedicated
 *   worker.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const deleteBrowserRepo = async (name: string, options: WaitOptions = {}): Promise<void> => {
  assertRepoName(name);
  if (await hasOpfsRepo(name)) {
    await deleteOpfsRepo(name, options);
  }
  await deleteIdbRepo(name, options);
};
