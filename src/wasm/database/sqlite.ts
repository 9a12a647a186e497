/** Stock sql.js, made to work on real files. */
import initSqlJs from 'sql.js';
import { RepoError } from '../../core/errors.ts';
import { cApiOf } from '../c-api/c-api.ts';
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

/** SQLite, loaded. Any number of databases may be open in it at once. */
export class Sqlite {
  readonly #instance: Instance;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /**
   * Sets how many bytes the page caches of all databases of the process may have together. They get at most half of
   * the memory that SQLite may have.
   */
  limitPageCaches(bytes: number): void {
    this.#instance.pageCaches.limit(Math.min(MAX_PAGE_CACHE_KIBIBYTES, Math.floor(bytes / 1024)));
  }

  /** Opens a database; see {@link Database.open}. */
  open(files: DatabaseFiles, options?: OpenOptions): Database {
    return Database.open(this.#instance, files, options);
  }
}

/** sql.js makes one instance in a process, whatever it is asked, and so do we. */
let loading: Promise<Sqlite> | undefined;

/**
 * Loads SQLite from the compiled `sql-wasm.wasm` of the same sql.js, and proves that it works on files of ours. Once a
 * process: later calls have the answer of the first. A program that uses sql.js beside this library loads this first.
 *
 * @throws {RepoError} `StorageFailed` when this is not the sql.js that was expected.
 */
export const loadSqlite = (module: WebAssembly.Module): Promise<Sqlite> => (loading ??= load(module));

const load = async (module: WebAssembly.Module): Promise<Sqlite> => {
  const { api, exports } = await instantiate(module);
  const memory = Object.values(exports).find((value) => isWebAssembly(value, 'Memory'));
  const table = Object.values(exports).find((value) => isWebAssembly(value, 'Table'));
  if (memory === undefined || table === undefined) {
    throw new RepoError('StorageFailed', 'this is not the sql.js that pdsdb was made for; missing=memory');
  }
  const heap = new Heap(api, memory);
  const sqlite = new Sqlite(new Instance(api, heap, new Vfs(api, heap, table)));
  probe(sqlite);
  return sqlite;
};

interface Instantiated {
  readonly api: CApi;
  readonly exports: WebAssembly.Exports;
}

/** Memory for an instance is asked for at once, with a range of addresses behind it: 10 GB in V8. */
const cannotInstantiate = (cause: unknown): RepoError =>
  errorName(cause) === 'RangeError'
    ? new RepoError(
        'Unsupported',
        'there is not enough memory for SQLite; a limit on the address space (ulimit -v) has to be 12 GB or more, or ' +
          'be taken away',
        { cause },
      )
    : new RepoError('StorageFailed', 'this is not the WebAssembly of the sql.js that pdsdb was made for', { cause });

const instantiate = (module: WebAssembly.Module): Promise<Instantiated> =>
  new Promise((resolve, reject) => {
    let exports: WebAssembly.Exports | undefined;
    const sqlJs = initSqlJs({
      instantiateWasm: (imports, done) => {
        // sql.js waits for ever when this fails; we do not.
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
      .then((answer) => {
        if (exports === undefined) {
          throw new RepoError(
            'StorageFailed',
            'other code has loaded sql.js before, and its memory is out of reach: load pdsdb first',
          );
        }
        resolve({ api: cApiOf(answer), exports });
      })
      .catch(reject);
  });
