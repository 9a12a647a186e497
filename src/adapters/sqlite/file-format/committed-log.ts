/**
 * Reads the pages in a WAL that replace pages of the main file, exactly as SQLite recovers them: the frames up to the
 * last commit with valid checksums. https://sqlite.org/fileformat2.html#the_write_ahead_log
 *
 * A salvage reads more than this: see `src/adapters/salvage/log-frames.ts`.
 */
import { RepoError } from '../../../core/errors.ts';
import type { Sums } from '../../../wasm/vfs/log-format.ts';
import { addToSums, FRAME_HEADER, LOG_HEADER, LOG_MAGIC, LOG_VERSION } from '../../../wasm/vfs/log-format.ts';
import { isPageSize, uint32 } from './numbers.ts';
import type { ReadableFile } from './readable-file.ts';
import { readAt } from './readable-file.ts';

/** Pages of another file that replace pages of the main file. */
export interface Overlay {
  readonly pageSize: number;
  /** Pages of the database. */
  readonly pageCount: number;
  /** Page number -> offset of the page in the file. */
  readonly places: ReadonlyMap<number, number>;
}

/** Bytes of frames per read. */
const BATCH_BYTES = 1 << 20;

const areSums = ([a, b]: Sums, bytes: Uint8Array, at: number): boolean =>
  a >>> 0 === uint32(bytes, at) && b >>> 0 === uint32(bytes, at + 4);

/**
 * Returns the committed pages of a log, or `undefined` if SQLite finds none in it.
 * @throws {RepoError} `Corrupt` if SQLite refuses the version of the log.
 */
export const committedLog = (wal: ReadableFile): Overlay | undefined => {
  const size = wal.getSize();
  const header = size > LOG_HEADER ? readAt(wal, 0, LOG_HEADER) : undefined;
  if (header === undefined) {
    return undefined;
  }
  const magic = uint32(header, 0);
  const pageSize = uint32(header, 8);
  // Not `& ~1`: the numbers are unsigned.
  if ((magic !== LOG_MAGIC && magic !== LOG_MAGIC + 1) || !isPageSize(pageSize)) {
    return undefined;
  }
  const isBig = magic === LOG_MAGIC + 1;
  let sums = addToSums([0, 0], header, 0, LOG_HEADER - 8, isBig);
  if (!areSums(sums, header, LOG_HEADER - 8)) {
    return undefined;
  }
  if (uint32(header, 4) !== LOG_VERSION) {
    throw new RepoError(
      'Corrupt',
      `the WAL beside the database has an unknown version: call salvageRepo; version=${uint32(header, 4)} known=${LOG_VERSION}`,
    );
  }
  const frameSize = FRAME_HEADER + pageSize;
  const frames = Math.floor((size - LOG_HEADER) / frameSize);
  const batch = new Uint8Array(Math.min(frames, Math.max(1, Math.floor(BATCH_BYTES / frameSize))) * frameSize);
  const places = new Map<number, number>();
  let pending = new Map<number, number>();
  let pageCount = 0;
  for (let index = 0; index < frames; index++) {
    const at = LOG_HEADER + index * frameSize;
    const start = (index * frameSize) % Math.max(batch.length, 1);
    if (start === 0) {
      const wanted = batch.subarray(0, Math.min(batch.length, (frames - index) * frameSize));
      if (wal.read(wanted, { at }) !== wanted.length) {
        throw new RepoError('StorageFailed', `the WAL became shorter while it was read: try again; at=${at}`);
      }
    }
    const page = uint32(batch, start);
    const isOfThisLog = batch.subarray(start + 8, start + 16).every((byte, i) => byte === header[16 + i]);
    if (!isOfThisLog || page === 0) {
      break;
    }
    sums = addToSums(sums, batch, start, start + 8, isBig);
    sums = addToSums(sums, batch, start + FRAME_HEADER, start + frameSize, isBig);
    if (!areSums(sums, batch, start + 16)) {
      break;
    }
    pending.set(page, at + FRAME_HEADER);
    const committed = uint32(batch, start + 4);
    if (committed > 0) {
      pageCount = committed;
      for (const [number, place] of pending) {
        places.set(number, place);
      }
      pending = new Map();
    }
  }
  return pageCount === 0 ? undefined : { pageSize, pageCount, places };
};
