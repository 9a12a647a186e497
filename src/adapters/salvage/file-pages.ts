/** The pages of a database and of its log, one by one, whether SQLite would open it or not. */
import type { ReadableFile } from '../sqlite/file-format/readable-file.ts';
import { readAt } from '../sqlite/file-format/readable-file.ts';
import type { Geometry } from './damaged-file.ts';
import { geometriesOf } from './damaged-file.ts';
import { framesOf } from './log-frames.ts';
import type { FoundRow, Pages } from './page-rows.ts';
import { createFollowing, rowsOfPage } from './page-rows.ts';

/**
 * Every row of keys and values that any page holds: of the database as its log has it; then of all other frames of the
 * log, the last ones first, for a damaged one may hide sound ones of the same page; then of the pages that the log has
 * replaced. Many come twice, and some are of the past: a page that is free keeps what it held.
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
  /** Places in the log are behind those in the file. */
  const inLog = count * pageSize;
  const read = (place: number): Uint8Array | undefined => {
    if (place >= inLog) {
      return readAt(wal, place - inLog, pageSize);
    }
    // The last one may be cut off. SQLite takes what is not there for zeros, too.
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
  // One by one, and not up to the highest: a number is a claim.
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
