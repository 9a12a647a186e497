/**
 * Opens the repositories of a browser, in a dedicated worker or on the page itself.
 *
 * @module
 */
import { createYieldToEvents } from './adapters/sqlite/yielding-store.ts';
import { browserPlatform, deleteBrowserRepo, listBrowserRepos } from './adapters/platform/browser-platform.ts';
import { browserSqliteWasm } from './adapters/platform/browser-sqlite-wasm.ts';
import type { WasmSource } from './adapters/platform/sqlite-wasm.ts';
import { closingQuickly } from './adapters/files/closing-quickly.ts';
import { exportFolder, importFolder } from './adapters/folders/transfer.ts';
import { assertBrowser } from './adapters/origin/browser-only.ts';
import type { RepoWorker } from './adapters/tabs/connection.ts';
import { browserLocks } from './adapters/origin/locks.ts';
import { openBroadcastChannel } from './adapters/tabs/channel.ts';
import type { RepoPlaces } from './adapters/tabs/repo-place.ts';
import type { Station } from './adapters/tabs/station.ts';
import { createStation } from './adapters/tabs/station.ts';
import { assertCacheBytes, sqliteRepo } from './adapters/sqlite/open-repo.ts';
import type { DatabaseFiles } from './wasm/vfs/database-files.ts';
import { loadSqlite } from './wasm/database/sqlite.ts';

export type { WasmSource } from './adapters/platform/sqlite-wasm.ts';
export type { RepoWorker } from './adapters/tabs/connection.ts';

export interface ServeOptions {
  /**
   * The WebAssembly of sql.js, or its URL. Set it if the default, a file beside the library, is not found. The file is
   * `pdsdb/sql-wasm.wasm`.
   */
  readonly wasm?: WasmSource | undefined;
  /**
   * The limit in bytes for the caches of all repositories of this worker together. Default: 64 MiB. The last given
   * value applies to all.
   */
  readonly cacheBytes?: number | undefined;
}

/** The part of a dedicated worker's scope that is used here. */
interface WorkerScope {
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

/**
 * Serves repositories to the page that has started this worker. Call it before the first `await`: messages that arrive
 * earlier are lost.
 *
 * @example
 * ```ts
 * // The whole file repo-worker.ts
 * import { serveRepos } from 'pdsdb/worker';
 *
 * serveRepos();
 * ```
 * @throws {TypeError} if `cacheBytes` is not a non-negative integer.
 * @throws {RepoError} `Unsupported` outside of a browser.
 */
export const serveRepos = (options: ServeOptions = {}): void => {
  const station = browserStation(options);
  (globalThis as unknown as WorkerScope).addEventListener('message', station);
};

/**
 * Returns a replacement for a worker, which runs on the page itself. Use it where no worker is possible. It creates
 * repositories in IndexedDB and cannot open those in OPFS, because pages have no synchronous files. Long work blocks
 * the page. If the page is frozen while a repository is open, calls of other tabs time out with `Locked`.
 *
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/browser';
 * import { createPageWorker } from 'pdsdb/worker';
 *
 * const worker = createPageWorker();
 * const repo = await openRepo('alice', { worker });
 * ```
 * @throws {TypeError} if `cacheBytes` is not a non-negative integer.
 * @throws {RepoError} `Unsupported` outside of a browser.
 */
export const createPageWorker = (options: ServeOptions = {}): RepoWorker => {
  const station = browserStation(options);
  return {
    postMessage: (data, transfer) => station({ data, ports: transfer as MessagePort[] }),
    // It has no load errors, and it exists as long as the page.
    addEventListener: () => {},
    removeEventListener: () => {},
    terminate: () => {},
  };
};

const browserStation = ({ wasm: source, cacheBytes }: ServeOptions): Station => {
  assertCacheBytes(cacheBytes);
  assertBrowser(false);
  let compiling: Promise<WebAssembly.Module> | undefined;
  const wasm = async (): Promise<WebAssembly.Module> => {
    compiling ??= browserSqliteWasm(source);
    try {
      return await compiling;
    } catch (error) {
      // The next call tries again, because the network may be back.
      compiling = undefined;
      throw error;
    }
  };

  const places: RepoPlaces = {
    async find(name, storage, create) {
      const found = await browserPlatform(name, { wasm, storage, create });
      let isHurried = false;
      return {
        name,
        storage: found.storage,
        isStored: found.isStored,
        async open(did) {
          isHurried = false;
          const platform = did === undefined ? await browserPlatform(name, { wasm, storage: found.storage }) : found;
          const openFiles = async (): Promise<DatabaseFiles> =>
            closingQuickly(await platform.openFiles(), () => isHurried);
          return sqliteRepo({ ...platform, openFiles, cacheBytes, yieldToEvents: createYieldToEvents() }, { did });
        },
        async prepare() {
          try {
            await loadSqlite(await wasm());
          } catch {
            // Opening the repository tries again and reports the error.
          }
        },
        hurry() {
          isHurried = true;
        },
      };
    },
    list: listBrowserRepos,
    remove: (name) => deleteBrowserRepo(name),
    exportFolder: async (name, storage) => exportFolder(await browserPlatform(name, { wasm, storage })),
    importFolder: async (name, storage, files) =>
      importFolder(await browserPlatform(name, { wasm, storage, create: true }), files),
  };

  return createStation({ places, locks: browserLocks(), openChannel: openBroadcastChannel });
};
