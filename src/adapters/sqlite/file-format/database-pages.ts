/** Reads the pages of a database as SQLite would see them after recovery, without SQLite and without writing. */
import { RepoError } from '../../../core/errors.ts';
import { PAGE_SIZE, SQLITE_MAGIC } from '../../../core/storage/layout.ts';
import type { DatabaseFiles } from '../../../wasm/vfs/database-files.ts';
import { committedLog } from './committed-log.ts';
import { hotJournalPages } from './hot-journal-pages.ts';
import { isPageSize, uint16, uint32 } from './numbers.ts';
import type { ReadableFile } from './readable-file.ts';
import { readableFile } from './readable-file.ts';

export interface DatabasePages {
  /** Bytes of a page that SQLite uses: the page size minus the reserved bytes. */
  readonly usable: number;
  /** @throws {RepoError} `Corrupt` if the database has no page with this number. */
  read(number: number): Uint8Array;
}

/** The header is the start of the first page. https://sqlite.org/fileformat2.html#the_database_header */
export const HEADER_LENGTH = 100;
const AT_PAGE_SIZE = 16;
const AT_READ_VERSION = 19;
const AT_RESERVED = 20;
const AT_FRACTIONS = 21;
const FRACTIONS: readonly number[] = [64, 32, 32];
const AT_SCHEMA_FORMAT = 44;
const AT_ENCODING = 56;
const NEWEST_SCHEMA_FORMAT = 4;
const ENCODINGS: readonly string[] = ['none', 'UTF-8', 'UTF-16le', 'UTF-16be'];
const LEAST_USABLE = 480;

const hasMagic = (page: Uint8Array): boolean => SQLITE_MAGIC.every((byte, i) => page[i] === byte);

const pageSizeOf = (page: Uint8Array): number => {
  const size = uint16(page, AT_PAGE_SIZE);
  return size === 1 ? 65536 : size;
};

/** Fills the buffer. Bytes after the end of the file are zeros, as for SQLite. */
const fill = (file: ReadableFile, buffer: Uint8Array, at: number): Uint8Array => {
  buffer.fill(0, file.read(buffer, { at }));
  return buffer;
};

const assertHeader = (page: Uint8Array, pageSize: number): void => {
  if (!hasMagic(page)) {
    throw new RepoError(
      'Corrupt',
      'pds.db is not an SQLite database, or its first page is damaged: call salvageRepo, or restore a backup',
    );
  }
  const isKnown = page[AT_READ_VERSION]! <= 2 && FRACTIONS.every((byte, i) => page[AT_FRACTIONS + i] === byte);
  if (!isKnown || pageSizeOf(page) !== pageSize || pageSize - page[AT_RESERVED]! < LEAST_USABLE) {
    throw new RepoError(
      'Corrupt',
      `the header of the database is damaged, or the log or journal beside it belongs to another database: call salvageRepo, or restore a backup; pageSize=${pageSizeOf(page)} expected=${pageSize}`,
    );
  }
};

/**
 * Checks the header of a database that is not empty.
 * @throws {RepoError} `Corrupt` if SQLite never writes such a header, or if texts are not UTF-8.
 */
export const assertFormat = (firstPage: Uint8Array): void => {
  const format = uint32(firstPage, AT_SCHEMA_FORMAT);
  if (format < 1 || format > NEWEST_SCHEMA_FORMAT) {
    throw new RepoError(
      'Corrupt',
      `the header of the database names an unknown schema format: call salvageRepo, or restore a backup; format=${format}`,
    );
  }
  const encoding = uint32(firstPage, AT_ENCODING);
  if (encoding !== 1) {
    // Keys are compared and returned as UTF-8 bytes.
    throw new RepoError(
      'Corrupt',
      `not a repository: the encoding of the database is not UTF-8. Restore a backup; encoding=${ENCODINGS[encoding] ?? encoding}`,
    );
  }
};

/** A database as SQLite would see it after recovery. */
interface Recovered {
  readonly pageSize: number;
  readonly pageCount: number;
  /** Reads a part of a page. `number` is 1 to `pageCount`. */
  read(number: number, buffer: Uint8Array, offset: number): void;
}

const recover = (files: Pick<DatabaseFiles, 'journal' | 'main' | 'wal'>): Recovered | undefined => {
  const [main, journal, wal] = [files.main, files.journal, files.wal].map((file) =>
    readableFile(file, 'reading the pages of the database'),
  ) as [ReadableFile, ReadableFile, ReadableFile];
  const size = main.getSize();
  // SQLite then ignores a journal and a log.
  if (size === 0) {
    return undefined;
  }
  // If the header of the main file is damaged, a journal or a log may have a valid one.
  const start = fill(main, new Uint8Array(PAGE_SIZE), 0);
  const said = hasMagic(start) && isPageSize(pageSizeOf(start)) ? pageSizeOf(start) : PAGE_SIZE;
  const undone = hotJournalPages(journal, said);
  if (undone?.pageCount === 0) {
    return undefined;
  }
  const log = committedLog(wal);
  const pageSize = log?.pageSize ?? undone?.pageSize ?? said;
  if (undone !== undefined && undone.pageSize !== pageSize) {
    throw new RepoError(
      'Corrupt',
      `the journal and the log beside the database have pages of two sizes: call salvageRepo, or restore a backup; journal=${undone.pageSize} log=${pageSize}`,
    );
  }
  const pageCount = log?.pageCount ?? undone?.pageCount ?? Math.ceil(size / pageSize);
  return {
    pageSize,
    pageCount,
    read(number, buffer, offset) {
      const inLog = log?.places.get(number);
      const inJournal = undone?.places.get(number);
      if (inLog !== undefined) {
        fill(wal, buffer, inLog + offset);
      } else if (inJournal !== undefined) {
        fill(journal, buffer, inJournal + offset);
      } else if (number === 1 && pageSize === start.length) {
        buffer.set(start.subarray(offset, offset + buffer.length));
      } else {
        fill(main, buffer, (number - 1) * pageSize + offset);
      }
    },
  };
};

/**
 * Returns the pages of the main file with the hot journal and the log applied, or `undefined` if the database is empty.
 * @throws {RepoError} `Corrupt` if the first page is not a valid first page of SQLite; `StorageFailed`.
 */
export const openPages = (files: Pick<DatabaseFiles, 'journal' | 'main' | 'wal'>): DatabasePages | undefined => {
  const recovered = recover(files);
  if (recovered === undefined) {
    return undefined;
  }
  const { pageSize, pageCount } = recovered;
  const read = (number: number): Uint8Array => {
    if (number < 1 || number > pageCount) {
      throw new RepoError(
        'Corrupt',
        `the schema links to a missing page: call salvageRepo, or restore a backup; page=${number} pages=${pageCount}`,
      );
    }
    const page = new Uint8Array(pageSize);
    recovered.read(number, page, 0);
    return page;
  };
  const first = read(1);
  assertHeader(first, pageSize);
  return { usable: pageSize - first[AT_RESERVED]!, read };
};

/** The largest journal or log, in bytes, that is applied in memory. */
export const MAX_APPLIED_SIZE: number = 64 * 1024 * 1024;

/**
 * Returns the main file as SQLite would leave it after recovery, or `undefined` if the database is empty. Writes
 * nothing, and reads pages on demand.
 * @throws {RepoError} `Locked` if a journal or a log is longer than {@link MAX_APPLIED_SIZE}; `Corrupt`;
 *   `StorageFailed`.
 */
export const recoveredFile = (files: Pick<DatabaseFiles, 'journal' | 'main' | 'wal'>): ReadableFile | undefined => {
  const size = Math.max(...[files.journal, files.wal].map((file) => readableFile(file, 'opening the log').getSize()));
  if (size > MAX_APPLIED_SIZE) {
    throw new RepoError(
      'Locked',
      `a crash has left a log that is too long to be applied in memory: open the repository once without readOnly to recover it; bytes=${size} limit=${MAX_APPLIED_SIZE}`,
    );
  }
  const recovered = recover(files);
  if (recovered === undefined) {
    return undefined;
  }
  const { pageSize, pageCount } = recovered;
  const end = pageSize * pageCount;
  return {
    getSize: () => end,
    read(buffer, { at }) {
      const length = Math.max(0, Math.min(buffer.length, end - at));
      for (let done = 0; done < length; ) {
        const number = Math.floor((at + done) / pageSize) + 1;
        const offset = (at + done) % pageSize;
        const part = buffer.subarray(done, Math.min(length, done + pageSize - offset));
        recovered.read(number, part, offset);
        done += part.length;
      }
      return length;
    },
  };
};
