/** A full quota: the error is StorageFull, the failed commit is missing, and all earlier commits exist. */
import { describe, expect, test } from 'vitest';
import { isMissing } from './browsers.ts';
import type { TestBrowser, TestPage } from './browsers.ts';
import { useBrowserWith } from './use-browser.ts';
import { useSite } from './in-browser.ts';
import type { State } from './repo-commands.ts';

/** Space for a few commits of half a megabyte. */
const QUOTA_KB = 12_000;

const site = useSite();

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    for (const storage of ['opfs', 'indexeddb'] as const) {
      describe(storage, () => {
        const open = async (browser: TestBrowser): Promise<TestPage> => {
          const page = await browser.open(site().url);
          await browser.setQuota?.(new URL(site().url).origin, QUOTA_KB * 1000);
          return page;
        };
        // Firefox's preference is in kilobytes.
        const prefs = {
          'dom.quotaManager.temporaryStorage.fixedLimit': QUOTA_KB,
          'dom.quotaManager.temporaryStorage.chunkSize': 64,
        };
        const page = useBrowserWith(name, open, { prefs });
        const place = { name: 'full', storage };

        test('a repository that fills the quota is StorageFull, and keeps its commits', async () => {
          const { code, head, commits } = await page().run<{ code: string; head: string; commits: number }>(
            'worker',
            'fill',
            place,
          );
          expect(code).toBe('StorageFull');
          expect(commits).toBeGreaterThan(2);
          expect(await page().run<State>('worker', 'state', place)).toMatchObject({
            head,
            faults: [],
            records: 10 + 8 * (commits - 1),
          });
        });

        test('a repository that blobs fill is StorageFull too', async () => {
          // A new browser per attempt.
          if ((await page().run('worker', 'refusal', place)) === 'RepoNotFound') {
            await page().run('worker', 'fill', place);
          }
          const before = await page().run<State>('worker', 'state', place);
          const { code, blobs } = await page().run<{ code: string; blobs: number }>('worker', 'fillBlobs', place);
          expect(code).toBe('StorageFull');
          const after = await page().run<State>('worker', 'state', place);
          expect(after).toMatchObject({ head: before.head, faults: [], records: before.records, blobs });
        });
      });
    }
  });
}
