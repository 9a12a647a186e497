/** The pages of a database and of its log, one by one, whether SQLite would open it or not. */
import { toStorageError } from '../../core/storage-error.ts';
import type { SyncFile } from '../../wasm/database-files.ts';
import type { FoundRow, ReadPage } from './page-rows.ts';
import { createFollowing, rowsOfPage } from './page-rows.ts';

/** A file that is read, and nothing else. */
export type ReadableFile = Pick<SyncFile, 'getSize' | 'read'>;

/** A platform's file, whose failures are told in the words of this library. */
export const readableFile = (file: SyncFile): ReadableFile => {
  const attempt = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw toStorageError(error, 'reading the damaged database');
    }
  };
  return { getSize: () => attempt(() => file.getSize()), read: (buffer, options) => attempt(() => file.read(buffer, options)) };
};

/** What this library writes, taken where the header of the file does not say. */
const DEFAULT_PAGE_SIZE = 4096;
const MAGIC: Uint8Array = /* @__PURE__ */ new TextEncoder().encode('SQLite format 3\0');
/** What stands in its place, and is as long, while a salvaged database is about to take the name of this one: no SQLite opens it meanwhile. */
const BEING_REPLACED: Uint8Array = /* @__PURE__ */ new TextEncoder().encode('pdsdb salvaging\0');

/** The log: a header, then frames, each a header and a page. https://sqlite.org/fileformat2.html#the_write_ahead_log */
const LOG_HEADER = 32;
const FRAME_HEADER = 24;

const isPageSize = (size: number): boolean => size >= 512 && size <= 65536 && (size & (size - 1)) === 0;

interface Geometry {
  readonly pageSize: number;
  /** Bytes of a page that SQLite uses. */
  readonly usable: number;
}

const beginsWith = (bytes: Uint8Array, start: Uint8Array): boolean => start.every((byte, i) => bytes[i] === byte);

/** Marks a database as one that is about to be replaced, durably. */
export const markAsReplaced = (main: SyncFile): void => {
  main.write(BEING_REPLACED, { at: 0 });
  main.flush();
};

/** Whether a salvage was cut short after it had marked the database. */
export const isMarkedAsReplaced = (main: ReadableFile): boolean => {
  const start = readAt(main, 0, BEING_REPLACED.length);
  return start !== undefined && beginsWith(start, BEING_REPLACED);
};

const geometryOf = (main: ReadableFile): Geometry => {
  const header = readAt(main, 0, 100) ?? new Uint8Array(100);
  const isThere = beginsWith(header, MAGIC) || beginsWith(header, BEING_REPLACED);
  const said = (header[16]! << 8) | header[17]!;
  const pageSize = said === 1 ? 65536 : said;
  if (!isThere || !isPageSize(pageSize)) {
    return { pageSize: DEFAULT_PAGE_SIZE, usable: DEFAULT_PAGE_SIZE };
  }
  const usable = pageSize - header[20]!;
  return { pageSize, usable: usable >= 480 ? usable : pageSize };
};

const readAt = (file: ReadableFile, at: number, length: number): Uint8Array | undefined => {
  const bytes = new Uint8Array(length);
  return file.read(bytes, { at }) === length ? bytes : undefined;
};

/** Where the last frame of each page lies in the log, of those that belong to the log as it stands. */
const framesOf = (wal: ReadableFile, pageSize: number): Map<number, number> => {
  const frames = new Map<number, number>();
  const header = readAt(wal, 0, LOG_HEADER);
  if (header === undefined) {
    return frames;
  }
  const salts = header.subarray(16, 24);
  const size = wal.getSize();
  for (let at = LOG_HEADER; at + FRAME_HEADER + pageSize <= size; at += FRAME_HEADER + pageSize) {
    const frame = readAt(wal, at, FRAME_HEADER);
    if (frame !== undefined && salts.every((byte, i) => frame[8 + i] === byte)) {
      frames.set(new DataView(frame.buffer).getUint32(0), at + FRAME_HEADER);
    }
  }
  return frames;
};

/**
 * Every row of keys and values that any page holds: of the database as its log has it, and then of the pages that the log
 * has replaced. Many come twice, and some are of the past: a page that is free keeps what it held.
 */
export function* rowsOfFiles(main: ReadableFile, wal: ReadableFile): Generator<FoundRow> {
  const { pageSize, usable } = geometryOf(main);
  const follow = createFollowing();
  const frames = framesOf(wal, pageSize);
  const inFile: ReadPage = (number) => readAt(main, (number - 1) * pageSize, pageSize);
  const newest: ReadPage = (number) => {
    const at = frames.get(number);
    return at === undefined ? inFile(number) : readAt(wal, at, pageSize);
  };
  let count = Math.ceil(main.getSize() / pageSize);
  for (const number of frames.keys()) {
    count = Math.max(count, number);
  }
  for (let number = 1; number <= count; number++) {
    yield* rowsOfPage(newest, number, usable, follow);
    if (frames.has(number)) {
      yield* rowsOfPage(inFile, number, usable, follow);
    }
  }
}
