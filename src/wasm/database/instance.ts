/** The one instance of SQLite in a process, and what all databases in it share. */
import { RepoError } from '../../core/errors.ts';
import type { CApi, Pointer } from '../c-api/c-api.ts';
import type { Heap } from '../c-api/heap.ts';
import { PageCaches } from './page-caches.ts';
import { PAGE_CACHE_KIBIBYTES } from './settings.ts';
import type { Vfs } from '../vfs/vfs.ts';

/** Two pointers, which C functions answer through. */
const CELL_SIZE = 8;

export class Instance {
  readonly api: CApi;
  readonly heap: Heap;
  readonly vfs: Vfs;
  /** The page caches of all databases, which share one budget. */
  readonly pageCaches: PageCaches = new PageCaches(PAGE_CACHE_KIBIBYTES);
  /** Two words for what a C function answers beside its result. Read before the next call. */
  readonly cell: Pointer;
  #trap: RepoError | undefined;

  constructor(api: CApi, heap: Heap, vfs: Vfs) {
    this.api = api;
    this.heap = heap;
    this.vfs = vfs;
    this.cell = heap.allocate(CELL_SIZE);
  }

  /** Set once WebAssembly threw: its memory is in no known state, and none of it is called again. */
  get trap(): RepoError | undefined {
    return this.#trap;
  }

  /**
   * Keeps what came out of WebAssembly; callbacks never throw, so this is a trap or an abort, not an error of a file.
   */
  trapped(cause: unknown): RepoError {
    this.#trap ??= new RepoError(
      'StorageFailed',
      'SQLite stopped in the middle of its work and works again after a restart of the process',
      {
        cause,
      },
    );
    return this.#trap;
  }
}
