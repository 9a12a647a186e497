/** How every connection is set up. */
import { PAGE_SIZE } from '../../core/storage/layout.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';

/**
 * The budget for the page caches of all databases of a process. Keys are hashes, so that everything touches pages all
 * over the file: an export of 100,000 records, 48 MB, spent half of its time reading the same pages again with a
 * quarter of this. Memory is taken as it is needed.
 */
export const PAGE_CACHE_KIBIBYTES: number = 40 * 1024;

/** Where the pages are in memory already. */
const SMALL_CACHE_KIBIBYTES: number = 16 * 1024;

/** The largest page cache that a database has use for. */
export const largestCacheOf = (durableOn: DatabaseFiles['durableOn']): number =>
  durableOn === 'flush' ? Number.POSITIVE_INFINITY : SMALL_CACHE_KIBIBYTES;

/** What a long transaction left of the log goes at the next checkpoint: in a browser it counts against the quota. */
const LOG_SIZE_KEPT = 16 * 1024 * 1024;

/**
 * Bytes that SQLite may have for all databases of the process. A schema or a row that asks for more fails with
 * `StorageFailed` and does not take the memory of the program. An import of 200,000 records, `verify`, `repair` and
 * `gc` need 63 MiB of WebAssembly's memory, everything counted. The page caches have at most half of the limit.
 */
export const HEAP_LIMIT: number = 512 * 1024 * 1024;

/** The largest budget for the page caches. */
export const MAX_PAGE_CACHE_KIBIBYTES: number = HEAP_LIMIT / 2 / 1024;

/** Pragmas in the order in which they have to come. */
export const settingsFor = (durableOn: DatabaseFiles['durableOn']): readonly string[] => [
  // SQLite loads the schema at the first statement that needs it.
  `hard_heap_limit=${HEAP_LIMIT}`,
  // Before the first read, for without it a log that is there cannot be read: there is no memory to share.
  'locking_mode=exclusive',
  'temp_store=memory',
  // The file may come from anywhere.
  'trusted_schema=off',
  'cell_size_check=on',
  // What is deleted is overwritten with zeros: people delete what nobody is to read again.
  'secure_delete=on',
  `page_size=${PAGE_SIZE}`,
  `journal_size_limit=${LOG_SIZE_KEPT}`,
  `synchronous=${durableOn === 'flush' ? 'full' : 'off'}`,
  // The adapter makes checkpoints: one commit in fifty would otherwise wait for 400 pages and two more flushes.
  'wal_autocheckpoint=0',
];
