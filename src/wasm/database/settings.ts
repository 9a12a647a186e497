/** How every connection is set up. */
import type { DatabaseFiles } from '../vfs/database-files.ts';

/**
 * Pages in memory, where reading one asks the system. Keys are hashes, so that everything touches pages all over the
 * file: an export of 100,000 records, 48 MB, spent half of its time reading the same pages again with a quarter of
 * this. Taken as it is needed.
 */
const CACHE_IN_KIBIBYTES = 65_536;

/** Where the pages are in memory already. */
const SMALL_CACHE_IN_KIBIBYTES = 16_384;

/** What a long transaction left of the log goes at the next checkpoint: in a browser it counts against the quota. */
const LOG_SIZE_KEPT = 16 * 1024 * 1024;

/** The page size that the power-cut tests were run with, and that of the sectors that the files claim. */
const PAGE_SIZE = 4096;

/** Pragmas in the order in which they have to come. */
export const settingsFor = (durableOn: DatabaseFiles['durableOn']): readonly string[] => [
  // First, for without it a log that is there cannot be read: there is no memory to share.
  'locking_mode=exclusive',
  'temp_store=memory',
  // The file may come from anywhere.
  'trusted_schema=off',
  'cell_size_check=on',
  `page_size=${PAGE_SIZE}`,
  `cache_size=-${durableOn === 'flush' ? CACHE_IN_KIBIBYTES : SMALL_CACHE_IN_KIBIBYTES}`,
  `journal_size_limit=${LOG_SIZE_KEPT}`,
  `synchronous=${durableOn === 'flush' ? 'full' : 'off'}`,
  // Folding in is up to us: one commit in fifty would otherwise wait for four hundred pages and two flushes more.
  'wal_autocheckpoint=0',
];
