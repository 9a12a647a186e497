/** Faults of browsers, and how a repository handles them. */
import { describe, expect, test } from 'vitest';
import { BROWSERS, isMissing } from './browsers.ts';
import { useBrowser, useSite } from './in-browser.ts';

/** The largest number of pages of one commit, of the 15,000 pages of a repository with 100,000 records. */
const MOST_PAGES = 100;
const RECORDS = Number(process.env['PDSDB_RECORDS'] ?? 20_000);

const site = useSite();

for (const name of BROWSERS) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    const started = useBrowser(name, site);

    for (const where of ['worker', 'page'] as const) {
      describe(`IndexedDB, in the ${where}`, () => {
        test('of two owners, the outdated one cannot write', async () => {
          expect(await started().page.run(where, 'zombie')).toEqual({
            late: 'StorageFailed',
            later: 'StorageFailed',
            close: 'done',
            ok: true,
            keys: [1, 2, 5],
          });
        });

        test('a connection that the browser closes is opened again', async () => {
          const codes = Array.from({ length: 8 }, () => 'done');
          expect(await started().page.run(where, 'connectionsLost')).toEqual({
            lost: [2, 2, 2],
            codes,
            ok: true,
            records: 6,
            blobs: 2,
          });
        });

        test.each([
          ['written', 2],
          ['created again', 1],
        ])('if another owner has %s the repository, a reconnected owner writes nothing', async (how, records) => {
          expect(await started().page.run(where, 'connectionsLostToOthers', how)).toEqual({
            code: 'StorageFailed',
            ok: true,
            records,
          });
        });

        test('after a rejection no more writes are accepted', async () => {
          expect(await started().page.run(where, 'poisoned')).toEqual(['Locked', 'StorageFailed']);
        });

        test('concurrent persists run in their order', async () => {
          const codes = Array.from({ length: 5 }, () => 'done');
          expect(await started().page.run(where, 'persistedAtOnce')).toEqual({ codes, bytes: [1, 2, 3, 4, 5] });
        });

        test('cleared site data is an error, and leaves no empty repository', async () => {
          expect(await started().page.run(where, 'cleared')).toEqual({
            late: 'StorageFailed',
            close: 'done',
            again: 'RepoNotFound',
          });
        });

        test('a missing page is Corrupt', async () => {
          expect(await started().page.run(where, 'pageMissing')).toBe('Corrupt');
        });

        test('an interrupted creation is not a repository, and its name can be used', async () => {
          expect(await started().page.run(where, 'nothingPersisted')).toEqual(['RepoNotFound', 'RepoExists']);
        });

        test('a newer version is UnknownVersion', async () => {
          expect(await started().page.run(where, 'newerVersion')).toBe('UnknownVersion');
        });

        test('opening a missing repository creates nothing', async () => {
          expect(await started().page.run(where, 'notThere')).toEqual(['RepoNotFound', 'RepoNotFound', 'false']);
        });

        test('a new repository is created in a working storage', async () => {
          const storage = where === 'page' || name === 'webkit' ? 'indexeddb' : 'opfs';
          expect(await started().page.run(where, 'chosen')).toEqual([storage, storage, 'RepoExists']);
        });
      });
    }

    test(`one commit on ${RECORDS} records stores fewer than ${MOST_PAGES} pages`, { timeout: 600_000 }, async () => {
      const counted = await started().page.run<{ size: number; most: number }>('worker', 'countPages', {
        name: 'large',
        records: RECORDS,
      });
      if (process.env['PDSDB_RECORDS'] !== undefined) {
        console.log(name, counted);
      }
      expect(counted.size).toBeGreaterThan(RECORDS * 300);
      expect(counted.most).toBeGreaterThan(0);
      expect(counted.most).toBeLessThan(MOST_PAGES);
    });

    describe.skipIf(name === 'webkit')('OPFS (WebKitGTK has none)', () => {
      test('a damaged database is Corrupt, and an empty one is RepoNotFound', async () => {
        expect(await started().page.run('worker', 'opfsDamaged')).toEqual(['Corrupt', 'RepoNotFound']);
      });

      test('blobs pass their cases where files cannot be moved', async () => {
        expect(await started().page.run('worker', 'blobsWithoutMove')).toEqual([]);
      });
    });
  });
}
