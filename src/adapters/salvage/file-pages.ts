/** The pages of a database and of its log, one by one, whether SQLite would open it or not. */
import type { SyncFile } from '../../wasm/database-files.ts';
import type { FoundRow, ReadPage } from './page-rows.ts';
import { rowsOfPage } from './page-rows.ts';

/** What this library writes, taken where the header of the file does not say. */
const DEFAULT_PAGE_SIZE = 4096;
const MAGIC: Uint8Array = /* @__PURE__ */ new TextEncoder().encode('SQLite format 3\0');

/** The log: a header, then frames, each a header and a page. https://sqlite.org/fileformat2.html#the_write_ahead_log */
const LOG_HEADER = 32;
const FRAME_HEADER = 24;

const isPageSize = (size: number): boolean => size >= 512 && size <= 65536 && (size & (size - 1)) === 0;

interface Geometry {
  readonly pageSize: number;
  /** Bytes of a page that SQLite uses. */
  readonly usable: number;
}

const geometryOf = (main: SyncFile): Geometry => {
  const header = new Uint8Array(100);
  const isThere = main.read(header, { at: 0 }) === header.length && MAGIC.every((byte, i) => header[i] === byte);
  const said = (header[16]! << 8) | header[17]!;
  const pageSize = said === 1 ? 65536 : said;
  if (!isThere || !isPageSize(pageSize)) {
    return { pageSize: DEFAULT_PAGE_SIZE, usable: DEFAULT_PAGE_SIZE };
  }
  const usable = pageSize - header[20]!;
  return { pageSize, usable: usable >= 480 ? usable : pageSize };
};

const readAt = (file: SyncFile, at: number, length: number): Uint8Array | undefined => {
  const bytes = new Uint8Array(length);
  return file.read(bytes, { at }) === length ? bytes : undefined;
};

/** Where the last frame of each page lies in the log, of those that belong to the log as it stands. */
const framesOf = (wal: SyncFile, pageSize: number): Map<number, number> => {
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
export function* rowsOfFiles(main: SyncFile, wal: SyncFile): Generator<FoundRow> {
  const { pageSize, usable } = geometryOf(main);
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
    yield* rowsOfPage(newest, number, usable);
    if (frames.has(number)) {
      yield* rowsOfPage(inFile, number, usable);
    }
  }
}
