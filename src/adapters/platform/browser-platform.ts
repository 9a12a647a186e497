/** What a browser gives to a repository: files and blobs in OPFS, or in IndexedDB where there is none. */
import { RepoError } from '../../core/errors.ts';
import { openIdbBlobs } from '../blobs/idb-blobs.ts';
import { openOpfsBlobs } from '../blobs/opfs-blobs.ts';
import { deleteIdbRepo, hasIdbRepo, listIdbRepos, openIdbFiles } from '../files/idb-files.ts';
import { deleteOpfsRepo, hasOpfsRepo, listOpfsRepos, openOpfsFiles } from '../files/opfs-files.ts';
import { hasOpfs } from '../origin/opfs.ts';
import type { WaitOptions } from '../origin/timeout.ts';
import { assertRepoName } from '../origin/repo-name.ts';
import type { RepoPlatform } from '../sqlite/open-repo.ts';

/** What browsers keep repositories in. */
export const BROWSER_STORAGES = ['indexeddb', 'opfs'] as const;
export type BrowserStorage = (typeof BROWSER_STORAGES)[number];

export interface BrowserPlatformOptions extends WaitOptions {
  /** The compiled WebAssembly of sql.js. */
  readonly wasm: () => Promise<WebAssembly.Module>;
  /** Makes the repository's place, and refuses one that is there. */
  readonly create?: boolean | undefined;
  /**
   * Where it is kept. `auto`, the default, is where it lies already; a new one goes to OPFS, or to IndexedDB where
   * files cannot be kept: on the main thread of a page, and in browsers and windows without OPFS.
   */
  readonly storage?: BrowserStorage | 'auto' | undefined;
}

export interface BrowserPlatform extends RepoPlatform {
  /** Where the repository is kept. */
  readonly storage: BrowserStorage;
  /** Whether the repository is there, asked also while it is open. */
  readonly isStored: () => Promise<boolean>;
}

/** A repository that is kept in this browser. */
export interface KeptRepo {
  readonly name: string;
  readonly storage: BrowserStorage;
}

/**
 * What a repository of this name stands on.
 * @throws {RepoError} with `storage: 'auto'`: `RepoExists` with `create`, `RepoNotFound` without; `StorageFailed`.
 * @throws {TypeError} when the name cannot be a repository's.
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
 * Where the repository lies comes before what is possible now: else an empty one might take the place of one that is
 * there.
 */
const chooseStorage = async (name: string, create: boolean): Promise<BrowserStorage> => {
  const kept = (await hasOpfsRepo(name)) ? 'opfs' : (await hasIdbRepo(name)) ? 'indexeddb' : undefined;
  if (create) {
    if (kept !== undefined) {
      throw new RepoError(
        'RepoExists',
        `there is a repository of this name already: open it with openRepo, or choose another name; name=${name} storage=${kept}`,
      );
    }
    return (await hasOpfs()) ? 'opfs' : 'indexeddb';
  }
  if (kept === undefined) {
    throw new RepoError('RepoNotFound', `there is no repository of this name; name=${name}`);
  }
  return kept;
};

/**
 * The repositories that are kept in this browser for this origin, by name. Of two with one name, the one in OPFS is the
 * first.
 */
export const listBrowserRepos = async (): Promise<KeptRepo[]> => {
  const opfs = (await listOpfsRepos()).map((name): KeptRepo => ({ name, storage: 'opfs' }));
  const idb = (await listIdbRepos()).map((name): KeptRepo => ({ name, storage: 'indexeddb' }));
  return [...opfs, ...idb].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
};

/**
 * Removes a repository with its blobs, wherever it is kept; one that is not there is no error.
 * @throws {RepoError} `Locked` when somebody has it open; `StorageFailed`, also when it is in OPFS and this is no
 *   dedicated worker.
 * @throws {TypeError} when the name cannot be a repository's.
 */
export const deleteBrowserRepo = async (name: string, options: WaitOptions = {}): Promise<void> => {
  assertRepoName(name);
  if (await hasOpfsRepo(name)) {
    await deleteOpfsRepo(name, options);
  }
  await deleteIdbRepo(name, options);
};
