/** A journal that is still needed. https://sqlite.org/fileformat2.html#the_rollback_journal */
import type { SyncFile } from './database-files.ts';

/**
 * What a journal begins with. One that has served is cut off, or has zeros there; what a power cut left of one may have
 * anything.
 */
const MAGIC: readonly number[] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/**
 * Whether the journal belongs to a transaction that was neither ended nor undone, between two transactions. It is all
 * that the next opening can undo it with. Until then SQLite, which has locked the file for itself, would read what is
 * there in part.
 */
export const isHotJournal = (journal: SyncFile): boolean => {
  const head = new Uint8Array(MAGIC.length);
  return (
    journal.getSize() > 0 && journal.read(head, { at: 0 }) === head.length && MAGIC.every((byte, i) => head[i] === byte)
  );
};
