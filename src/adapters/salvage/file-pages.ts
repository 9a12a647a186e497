/** Reads the rows of all pages of a damaged database and its WAL. */
import type { ReadableFile } from '../sqlite/file-format/readable-file.ts';
import { readAt } from '../sqlite/file-format/readable-file.ts';
import type { Geometry } from './damaged-file.ts';
import { geometriesOf } from './damaged-file.ts';
import { framesOf } from './log-frames.ts';
import type { FoundRow, Pages } from './page-rows.ts';
import { createFollowing, rowsOfPage } from './page-rows.ts';

/**
 * Yields every row of keys and values in any page: first of the database with its WAL applied; then of all other frames
 * of the WAL, last ones first, because a damaged frame may hide valid ones of the same page; then of the pages that the
 * WAL replaces. Many rows come twice, and some are old, because free pages keep their content.
 */
export function* rowsOfFiles(main: ReadableFile, wal: ReadableFile): Generator<FoundRow> {
  for (const geometry of geometriesOf(main)) {
    yield* rowsOfPages(main, wal, geometry);
  }
}

function* rowsOfPages(main: ReadableFile, wal: ReadableFile, { pageSize, usable }: Geometry): Generator<FoundRow> {
  const log = framesOf(wal, pageSize);
  const follow = createFollowing();
  const count = Math.ceil(main.getSize() / pageSize);
  /** Offsets from here on are in the WAL. */
  const inLog = count * pageSize;
  const read = (place: number): Uint8Array | undefined => {
    if (place >= inLog) {
      return readAt(wal, place - inLog, pageSize);
    }
    // The last page may be incomplete. SQLite also reads the rest as zeros.
    const page = new Uint8Array(pageSize);
    return main.read(page, { at: place }) > 0 ? page : undefined;
  };
  const inFile = (number: number): number | undefined =>
    number >= 1 && number <= count ? (number - 1) * pageSize : undefined;
  const seenBy = (find: (number: number) => number | undefined): Pages => ({
    read,
    place(number) {
      const at = find(number);
      return at === undefined ? inFile(number) : inLog + at;
    },
  });
  const rowsOf = (pages: Pages, number: number): Generator<FoundRow> => rowsOfPage(pages, number, usable, follow);

  const newest = seenBy(log.newest);
  for (let number = 1; number <= count; number++) {
    yield* rowsOf(newest, number);
  }
  // Not up to the highest number, because a damaged frame may have any number.
  for (const number of log.pages) {
    if (number > count) {
      yield* rowsOf(newest, number);
    }
  }
  for (let index = log.frames.length - 1; index >= 0; index--) {
    const { page, at } = log.frames[index]!;
    if (!log.isNewest(index)) {
      yield* rowsOf(
        seenBy((number) => (number === page ? at : log.seenBy(index, number))),
        page,
      );
    }
  }
  const original = seenBy(() => undefined);
  for (const number of log.pages) {
    yield* rowsOf(original, number);
  }
}
