/** Loads stock sql.js and makes it work on real files. */
import initSqlJs from 'sql.js';
import { RepoError } from '../../core/errors.ts';
import { cApiOf, wrongSqlJs } from '../c-api/c-api.ts';
import type { CApi } from '../c-api/c-api.ts';
import type { OpenOptions } from './database.ts';
import { Database } from './database.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { Heap } from '../c-api/heap.ts';
import { Instance } from './instance.ts';
import { probe } from './probe.ts';
import { MAX_PAGE_CACHE_KIBIBYTES } from './settings.ts';
import { Vfs } from '../vfs/vfs.ts';
import { errorName, isWebAssembly } from '../../core/data/platform-values.ts';

/** A loaded SQLite. Any number of databases may be open. */
export class Sqlite {
  readonly #instance: Instance;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /**
   * Sets the budget of the page caches of all databases in the process, in bytes. At most half of {@link HEAP_LIMIT} is
   * used.
   */
  limitPageCaches(bytes: number): void {
    this.#instance.pageCaches.limit(Math.min(MAX_PAGE_CACHE_KIBIBYTES, Math.floor(bytes / 1024)));
  }

  /** Opens a database; see {@link Database.open}. */
  open(files: DatabaseFiles, options?: OpenOptions): Database {
    return Database.open(this.#instance, files, options);
  }
}

/** sql.js makes only one instance per process. */
let loading: Promise<Sqlite> | undefined;

/**
 * Loads SQLite from the compiled `sql-wasm.wasm` of the same sql.js, and tests it on files. Once per process: later
 * calls return the first result. A program that also uses sql.js must load pdsdb first.
 *
 * @throws {RepoError} `StorageFailed` when it is another version of sql.js.
 */
export const loadSqlite = (module: WebAssembly.Module): Promise<Sqlite> => (loading ??= load(module));

const load = async (module: WebAssembly.Module): Promise<Sqlite> => {
  const { api, exports } = await instantiate(module);
  const memory = Object.values(exports).find((value) => isWebAssembly(value, 'Memory'));
  const table = Object.values(exports).find((value) => isWebAssembly(value, 'Table'));
  if (memory === undefined || table === undefined) {
    throw wrongSqlJs('missing=memory');
  }
  const heap = new Heap(api, memory);
  const sqlite = new Sqlite(new Instance(api, heap, new Vfs(heap, table)));
  probe(sqlite);
  return sqlite;
};

interface Instantiated {
  readonly api: CApi;
  readonly exports: WebAssembly.Exports;
}

/** V8 reserves 10 GB of addresses for the memory of an instance. */
const cannotInstantiate = (cause: unknown): RepoError =>
  errorName(cause) === 'RangeError'
    ? new RepoError(
        'Unsupported',
        'there is not enough memory for SQLite: free some memory, or raise or remove the limit on the address space ' +
          '(ulimit -v), which must be at least 12 GB',
        { cause },
      )
    : new RepoError('StorageFailed', 'the WebAssembly file is not that of sql.js: use pdsdb/sql-wasm.wasm', { cause });

const instantiate = (module: WebAssembly.Module): Promise<Instantiated> =>
  new Promise((resolve, reject) => {
    let exports: WebAssembly.Exports | undefined;
    const sqlJs = initSqlJs({
      instantiateWasm: (imports, done) => {
        // If this fails, sql.js never rejects, so we reject.
        WebAssembly.instantiate(module, imports)
          .then((instance) => {
            exports = instance.exports;
            done(instance, module);
          })
          .catch((cause: unknown) => reject(cannotInstantiate(cause)));
        return {};
      },
    });
    sqlJs
      .then((loaded) => {
        if (exports === undefined) {
          throw new RepoError(
            'StorageFailed',
            'other code loaded sql.js before, so pdsdb has no access to its memory: load pdsdb first',
          );
        }
        resolve({ api: cApiOf(loaded), exports });
      })
      .catch(reject);
  });
