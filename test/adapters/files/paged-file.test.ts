import { describe, expect, test } from 'vitest';
import { PagedFile } from '../../../src/adapters/files/paged-file.ts';
import { PAGE_SIZE } from '../../../src/core/storage/layout.ts';
import { equalBytes } from '../../../src/core/data/bytes.ts';
import { RepoError } from '../../../src/core/errors.ts';
import { databaseFilesCases } from '../../../src/testing/files/database-files-cases.ts';
import type { DatabaseFiles } from '../../../src/wasm/vfs/database-files.ts';
import { runCases } from '../../run-cases.ts';
import { seeded } from '../../random/seeded.ts';

/** Three files without persistence. */
const openFiles = async (): Promise<DatabaseFiles> => {
  const [main, journal, wal] = [new PagedFile(), new PagedFile(), new PagedFile()];
  let isClosed = false;
  const close = async (): Promise<void> => {
    isClosed = true;
    [main, journal, wal].forEach((file) => file.close());
  };
  const persist = async (): Promise<void> => {
    if (isClosed) {
      throw new RepoError('Closed', 'the files are closed');
    }
  };
  return { main, journal, wal, durableOn: 'persist', persist, close, [Symbol.asyncDispose]: close };
};

describe('the cases for files', () => {
  runCases(databaseFilesCases, () => ({ open: openFiles, keeps: false, excludes: false, large: false }));
});

const indexes = (file: PagedFile): number[] => file.takeChanges().pages.map(([index]) => index);

describe('changes', () => {
  test('are the written pages, each once', () => {
    const file = new PagedFile();
    expect(file.hasChanged).toBe(false);
    file.write(new Uint8Array(3 * PAGE_SIZE), { at: 0 });
    file.write(new Uint8Array(10), { at: PAGE_SIZE });
    expect(file.hasChanged).toBe(true);
    expect(indexes(file)).toEqual([0, 1, 2]);
    expect(file.hasChanged).toBe(false);
    file.write(new Uint8Array(2), { at: 2 * PAGE_SIZE - 1 });
    file.write(new Uint8Array(0), { at: 0 });
    expect(indexes(file)).toEqual([1, 2]);
  });

  test('include the pages of zeros by which a file grows', () => {
    const file = new PagedFile();
    file.write(new Uint8Array([7]), { at: 3 * PAGE_SIZE });
    expect(indexes(file)).toEqual([0, 1, 2, 3]);
    file.truncate(5 * PAGE_SIZE);
    const { pages, size } = file.takeChanges();
    expect([pages.map(([index]) => index), size]).toEqual([[4], 5 * PAGE_SIZE]);
  });

  test('include the truncated page and not the removed ones', () => {
    const file = new PagedFile();
    file.write(new Uint8Array(4 * PAGE_SIZE).fill(1), { at: 0 });
    file.truncate(PAGE_SIZE + 5);
    const { pages, size } = file.takeChanges();
    expect([pages.map(([index]) => index), size]).toEqual([[0, 1], PAGE_SIZE + 5]);
    expect(pages[1]![1].slice(3, 8)).toEqual(new Uint8Array([1, 1, 0, 0, 0]));
    file.truncate(PAGE_SIZE);
    expect(file.hasChanged).toBe(true);
    expect(file.takeChanges()).toEqual({ pages: [], size: PAGE_SIZE });
  });

  test('together give the content of the file after random calls; seed 7', () => {
    const random = seeded(7);
    const below = (limit: number): number => Math.floor(random() * limit);
    const file = new PagedFile();
    const stored: Uint8Array<ArrayBuffer>[] = [];
    for (let round = 0; round < 200; round++) {
      for (let step = below(6); step >= 0; step--) {
        if (below(4) === 0) {
          file.truncate(below(20 * PAGE_SIZE));
        } else {
          const at = below(20 * PAGE_SIZE);
          file.write(
            Uint8Array.from({ length: below(9000) }, () => below(256)),
            { at },
          );
        }
      }
      const { pages, size } = file.takeChanges();
      pages.forEach(([index, page]) => (stored[index] = page.slice()));
      stored.length = Math.ceil(size / PAGE_SIZE);
      const [now, again] = [
        file,
        new PagedFile(
          stored.map((page) => page.slice()),
          size,
        ),
      ].map((one) => {
        const bytes = new Uint8Array(one.getSize());
        one.read(bytes, { at: 0 });
        return bytes;
      });
      // Not `toEqual`, which takes half a second for bytes of this size.
      expect(equalBytes(again!, now!), `round ${round}`).toBe(true);
    }
  });
});
