/** Hot journals: journals that must be rolled back. https://sqlite.org/fileformat2.html#the_rollback_journal */
import type { SyncFile } from './database-files.ts';

/**
 * The magic of a journal. A finished journal is truncated or has zeros here. After a power cut, it may have any bytes.
 */
const MAGIC: readonly number[] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/**
 * Returns whether the journal belongs to an incomplete transaction. Call it between two transactions. The next opening
 * needs the journal to roll back. Until then, SQLite would read pages of half a transaction.
 */
export const isHotJournal = (journal: SyncFile): boolean => {
  const head = new Uint8Array(MAGIC.length);
  return (
    journal.getSize() > 0 && journal.read(head, { at: 0 }) === head.length && MAGIC.every((byte, i) => head[i] === byte)
  );
};
