/**
 * Reads the frames of a WAL, and finds the pages that each transaction saw.
 * https://sqlite.org/fileformat2.html#the_write_ahead_log
 */
import type { ReadableFile } from '../sqlite/file-format/readable-file.ts';
import { readAt } from '../sqlite/file-format/readable-file.ts';

const LOG_HEADER = 32;
const FRAME_HEADER = 24;

export interface Frame {
  /** The number of the page that it replaces. */
  readonly page: number;
  /** The offset of its page in the WAL. */
  readonly at: number;
  /** The salts of its WAL. Frames with other salts are from an earlier WAL. */
  readonly salts: string;
}

export interface LogFrames {
  readonly frames: readonly Frame[];
  /** The pages in the present WAL. */
  readonly pages: ReadonlySet<number>;
  /** Whether a frame is the last frame of its page in the present WAL. */
  isNewest(index: number): boolean;
  /** Returns the offset of a page's last frame in the present WAL. */
  newest(page: number): number | undefined;
  /** Returns the offset of a page as the transaction of frame `index` saw it. */
  seenBy(index: number, page: number): number | undefined;
}

const saltsOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

const readFrames = (
  wal: ReadableFile,
  pageSize: number,
): { readonly frames: Frame[]; readonly isCommit: boolean[] } => {
  const frames: Frame[] = [];
  const isCommit: boolean[] = [];
  const size = wal.getSize();
  for (let at = LOG_HEADER; at + FRAME_HEADER + pageSize <= size; at += FRAME_HEADER + pageSize) {
    const header = readAt(wal, at, FRAME_HEADER);
    if (header !== undefined) {
      const view = new DataView(header.buffer);
      frames.push({ page: view.getUint32(0), at: at + FRAME_HEADER, salts: saltsOf(header.subarray(8, 16)) });
      isCommit.push(view.getUint32(4) > 0);
    }
  }
  return { frames, isCommit };
};

/**
 * Returns the last of ascending numbers that is at most `limit`. A binary search, because a WAL may have 100,000 frames
 * of one page.
 */
const lastUpTo = (numbers: readonly number[], limit: number): number | undefined => {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! <= limit) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return numbers[low - 1];
};

/** Reads all frames, without checking checksums: a valid frame may follow a damaged one, and blocks have hashes. */
export const framesOf = (wal: ReadableFile, pageSize: number): LogFrames => {
  const { frames, isCommit } = readFrames(wal, pageSize);
  /** Salts -> page -> indexes of its frames. */
  const places = new Map<string, Map<number, number[]>>();
  for (const [index, { salts, page }] of frames.entries()) {
    const pages = places.get(salts) ?? new Map<number, number[]>();
    const indexes = pages.get(page) ?? [];
    indexes.push(index);
    places.set(salts, pages.set(page, indexes));
  }
  /** For each frame, the index of the last frame of its transaction. */
  const ends: number[] = [];
  const next = new Map<string, number>();
  for (let index = frames.length - 1; index >= 0; index--) {
    const { salts } = frames[index]!;
    const end = isCommit[index] === true ? index : (next.get(salts) ?? index);
    next.set(salts, end);
    ends[index] = end;
  }
  const header = readAt(wal, 16, 8);
  const own = (header && places.get(saltsOf(header))) ?? new Map<number, number[]>();
  const atOf = (index: number | undefined): number | undefined => (index === undefined ? undefined : frames[index]!.at);
  return {
    frames,
    pages: new Set(own.keys()),
    isNewest: (index) => own.get(frames[index]!.page)?.at(-1) === index,
    newest: (page) => atOf(own.get(page)?.at(-1)),
    seenBy: (index, page) => atOf(lastUpTo(places.get(frames[index]!.salts)?.get(page) ?? [], ends[index]!)),
  };
};
