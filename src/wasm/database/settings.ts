/** Settings of every connection. */
import { PAGE_SIZE } from '../../core/storage/layout.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';

/**
 * The budget of the page caches of all databases in a process. Keys are hashes, so accesses are spread over the whole
 * file. With a quarter of this budget, an export of 100,000 records (48 MB) spent half of its time re-reading pages.
 * Memory is allocated on demand.
 */
export const PAGE_CACHE_KIBIBYTES: number = 40 * 1024;

/**
 * The page cache of a transaction that bypasses the WAL. WebAssembly memory never shrinks. Rows come in the order of
 * their keys, so 100,000 records take the same processor time as with {@link PAGE_CACHE_KIBIBYTES}. More
 * records take more, because later sorted runs change the same pages again.
 */
export const BULK_CACHE_KIBIBYTES: number = 8 * 1024;

/** For files whose pages are already in memory. */
const SMALL_CACHE_KIBIBYTES: number = 16 * 1024;

/** Returns the largest useful page cache of a database. */
export const largestCacheOf = (durableOn: DatabaseFiles['durableOn']): number =>
  durableOn === 'flush' ? Number.POSITIVE_INFINITY : SMALL_CACHE_KIBIBYTES;

/** A longer WAL is truncated at the next checkpoint, because it counts against the quota in browsers. */
const LOG_SIZE_KEPT = 16 * 1024 * 1024;

/**
 * Most bytes of SQLite for all databases in a process. A schema or a row that needs more fails with `StorageFailed`. An
 * import of 200,000 records, `verify`, `repair` and `gc` need 63 MiB of WebAssembly memory in total. The page caches
 * get at most half of the limit.
 */
export const HEAP_LIMIT: number = 512 * 1024 * 1024;

/** The largest budget of the page caches. */
export const MAX_PAGE_CACHE_KIBIBYTES: number = HEAP_LIMIT / 2 / 1024;

/** Pragmas in the required order. */
export const settingsFor = (durableOn: DatabaseFiles['durableOn']): readonly string[] => [
  // SQLite loads the schema at the first statement that needs it.
  `hard_heap_limit=${HEAP_LIMIT}`,
  // Before the first read: without shared memory, SQLite reads an existing WAL only in this mode.
  'locking_mode=exclusive',
  'temp_store=memory',
  // The file is untrusted.
  'trusted_schema=off',
  'cell_size_check=on',
  // Overwrites deleted data with zeros, so that deleted records are unreadable.
  'secure_delete=on',
  `page_size=${PAGE_SIZE}`,
  `journal_size_limit=${LOG_SIZE_KEPT}`,
  `synchronous=${durableOn === 'flush' ? 'full' : 'off'}`,
  // The adapter checkpoints. Otherwise, one commit in fifty writes 400 more pages and flushes twice more.
  'wal_autocheckpoint=0',
];
