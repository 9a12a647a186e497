/**
 * Reads the pages that a hot journal restores, exactly as SQLite does at the next opening.
 * https://sqlite.org/fileformat2.html#the_rollback_journal, `pager_playback` in SQLite's pager.c
 */
import { RepoError } from '../../../core/errors.ts';
import type { Overlay } from './committed-log.ts';
import { isPageSize, uint32 } from './numbers.ts';
import type { ReadableFile } from './readable-file.ts';
import { readAt } from './readable-file.ts';

const MAGIC: readonly number[] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
const HEADER = 28;
/** The sector size of our VFS. SQLite uses it until it has read the first header. */
const OWN_SECTOR = 4096;
const MAX_SECTOR = 65536;
/** The page with this byte is used for locks and is never in a journal. */
const LOCK_BYTE = 0x4000_0000;
/** The checksum adds every 200th byte of a page. */
const CHECKSUM_STEP = 200;

const hasMagic = (bytes: Uint8Array, at: number): boolean => MAGIC.every((byte, i) => bytes[at + i] === byte);

/** Refuses the journal of a transaction over several databases, for which SQLite opens another file. */
const assertNoSuperJournal = (journal: ReadableFile, size: number): void => {
  const end = size >= 16 ? readAt(journal, size - 16, 16) : undefined;
  if (end === undefined || !hasMagic(end, 8)) {
    return;
  }
  const length = uint32(end, 0);
  const name =
    length > 0 && length <= Math.min(size - 16, MAX_SECTOR) ? readAt(journal, size - 16 - length, length) : undefined;
  if (name !== undefined && name.reduce((sum, byte) => sum + ((byte << 24) >> 24), 0) >>> 0 === uint32(end, 4)) {
    throw new RepoError(
      'Corrupt',
      'the journal beside the database is part of a transaction over several databases: recover it with the sqlite3 command; file=pds.db-journal',
    );
  }
};

interface Segment {
  readonly records: number;
  readonly seed: number;
  readonly pageCount: number;
  readonly sector: number;
  readonly pageSize: number;
}

const readSegment = (
  journal: ReadableFile,
  size: number,
  at: number,
  first: Segment | undefined,
  pageSizeOfMain: number,
): Segment | undefined => {
  const header = at + (first?.sector ?? OWN_SECTOR) <= size ? readAt(journal, at, HEADER) : undefined;
  if (header === undefined || !hasMagic(header, 0)) {
    return undefined;
  }
  const sector = first?.sector ?? uint32(header, 20);
  const pageSize = first?.pageSize ?? (uint32(header, 24) || pageSizeOfMain);
  if (!isPageSize(pageSize) || sector < 32 || sector > MAX_SECTOR || (sector & (sector - 1)) !== 0) {
    return undefined;
  }
  return { records: uint32(header, 8), seed: uint32(header, 12), pageCount: uint32(header, 16), sector, pageSize };
};

const checksumOf = (page: Uint8Array, seed: number): number => {
  let sum = seed;
  for (let at = page.length - CHECKSUM_STEP; at > 0; at -= CHECKSUM_STEP) {
    sum += page[at]!;
  }
  return sum >>> 0;
};

/**
 * Returns the pages that the journal restores, or `undefined` if it restores nothing.
 * @param pageSizeOfMain The page size in the main file's header, in bytes.
 * @throws {RepoError} `Corrupt` if the journal is part of a transaction over several databases.
 */
export const hotJournalPages = (journal: ReadableFile, pageSizeOfMain: number): Overlay | undefined => {
  const size = journal.getSize();
  // A finished journal is empty, or begins with zeros.
  if (size === 0 || readAt(journal, 0, 1)?.[0] === 0) {
    return undefined;
  }
  assertNoSuperJournal(journal, size);
  const first = readSegment(journal, size, 0, undefined, pageSizeOfMain);
  if (first === undefined) {
    return undefined;
  }
  const { pageSize, pageCount, sector } = first;
  const places = new Map<number, number>();
  const recordSize = pageSize + 8;
  const lockPage = LOCK_BYTE / pageSize + 1;
  const record = new Uint8Array(recordSize);
  let at = 0;
  for (let segment: Segment | undefined = first; segment !== undefined; ) {
    at += sector;
    for (let i = 0; i < segment.records; i++) {
      if (journal.read(record, { at }) !== recordSize) {
        return { pageSize, pageCount, places };
      }
      const page = uint32(record, 0);
      if (page === 0 || page === lockPage) {
        return { pageSize, pageCount, places };
      }
      if (page <= pageCount) {
        if (checksumOf(record.subarray(4, 4 + pageSize), segment.seed) !== uint32(record, 4 + pageSize)) {
          return { pageSize, pageCount, places };
        }
        places.set(page, at + 4);
      }
      at += recordSize;
    }
    at = Math.ceil(at / sector) * sector;
    segment = readSegment(journal, size, at, first, pageSize);
  }
  return { pageSize, pageCount, places };
};
