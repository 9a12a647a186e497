/** The instance of SQLite in a process. All databases share it. */
import { RepoError } from '../../core/errors.ts';
import type { CApi, Pointer } from '../c-api/c-api.ts';
import type { Heap } from '../c-api/heap.ts';
import { PageCaches } from './page-caches.ts';
import { PAGE_CACHE_KIBIBYTES } from './settings.ts';
import type { Vfs } from '../vfs/vfs.ts';

/** Two pointers for output parameters of C functions. */
const CELL_SIZE = 8;

export class Instance {
  readonly api: CApi;
  readonly heap: Heap;
  readonly vfs: Vfs;
  /** The page caches of all databases, which share one budget. */
  readonly pageCaches: PageCaches = new PageCaches(PAGE_CACHE_KIBIBYTES);
  /** Two words for output parameters of C functions. Read them before the next call. */
  readonly cell: Pointer;
  #trap: RepoError | undefined;

  constructor(api: CApi, heap: Heap, vfs: Vfs) {
    this.api = api;
    this.heap = heap;
    this.vfs = vfs;
    this.cell = heap.allocate(CELL_SIZE);
  }

  /** Set after WebAssembly threw. Its memory is then in an unknown state, and it is never called again. */
  get trap(): RepoError | undefined {
    return this.#trap;
  }

  /**
   * Records an exception of WebAssembly. Callbacks never throw, so it is a trap or an abort, not an error of a file.
   */
  trapped(cause: unknown): RepoError {
    this.#trap ??= new RepoError('StorageFailed', 'SQLite stopped after an internal error: restart the process', {
      cause,
    });
    return this.#trap;
  }
}
