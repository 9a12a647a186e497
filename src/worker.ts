/**
 * What holds the repositories of a browser: a dedicated worker, in which this runs, or the page itself.
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
import type { RepoWorker } from './adapters/rpc/connection.ts';
import { browserLocks } from './adapters/rpc/locks.ts';
import type { RepoPlaces, Station } from './adapters/tabs/station.ts';
import { createStation, openBroadcastChannel } from './adapters/tabs/station.ts';
import { assertCacheBytes, sqliteRepo } from './adapters/sqlite/open-repo.ts';
import type { DatabaseFiles } from './wasm/vfs/database-files.ts';
import { loadSqlite } from './wasm/database/sqlite.ts';

export type { WasmSource } from './adapters/platform/sqlite-wasm.ts';
export type { RepoWorker } from './adapters/rpc/connection.ts';

export interface ServeOptions {
  /**
   * The WebAssembly of sql.js, or where it is: for when `new URL('…', import.meta.url)` does not find it. The file is
   * `pdsdb/sql-wasm.wasm`.
   */
  readonly wasm?: WasmSource | undefined;
  /**
   * Bytes that the caches of all repositories of this worker may take together; 64 MiB by default. The last value given
   * applies to all.
   */
  readonly cacheBytes?: number | undefined;
}

/** What is used of a dedicated worker's scope. */
interface WorkerScope {
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

/**
 * Answers the page that has started this worker. To be called at once, before anything is awaited: what the page says
 * earlier is lost.
 *
 * @example
 * ```ts
 * // repo-worker.ts, the whole of it
 * import { serveRepos } from 'pdsdb/worker';
 *
 * serveRepos();
 * ```
 * @throws {TypeError} when `cacheBytes` is not a whole number of bytes.
 * @throws {RepoError} `Unsupported` outside of a browser.
 */
export const serveRepos = (options: ServeOptions = {}): void => {
  const station = browserStation(options);
  (globalThis as unknown as WorkerScope).addEventListener('message', (event) => station.receive(event));
};

/**
 * Stands in for a worker on the page itself, for where there can be none. New repositories are kept in IndexedDB, and
 * those in OPFS cannot be opened: pages have no synchronous files. Whatever takes long takes the page's time, and while
 * the page is frozen with a repository open, other tabs wait for it and then reject with `Locked`.
 *
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/browser';
 * import { createPageWorker } from 'pdsdb/worker';
 *
 * const worker = createPageWorker();
 * const repo = await openRepo('alice', { worker });
 * ```
 * @throws {TypeError} when `cacheBytes` is not a whole number of bytes.
 * @throws {RepoError} `Unsupported` outside of a browser.
 */
export const createPageWorker = (options: ServeOptions = {}): RepoWorker => {
  const station = browserStation(options);
  return {
    postMessage: (data, transfer) => station.receive({ data, ports: transfer as MessagePort[] }),
    // It does not fail to load, and lives as long as the page.
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
      // The next one to ask tries again: the network may be back.
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
            // Whoever opens the repository tries again, and says what is wrong.
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
