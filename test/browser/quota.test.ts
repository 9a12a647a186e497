/** No room left: the error says so, nothing of the commit that failed is there, and everything before it is. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMissing, makeProfile, startBrowser } from './browsers.ts';
import type { TestBrowser, TestPage } from './browsers.ts';
import { useSite } from './in-browser.ts';
import type { State } from './repo-commands.ts';

/** Room for a few commits of half a megabyte. */
const QUOTA_KB = 12_000;

const site = useSite();

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    for (const storage of ['opfs', 'indexeddb'] as const) {
      describe(storage, () => {
        let browser: TestBrowser;
        let page: TestPage;
        let remove: () => Promise<void>;
        beforeAll(async () => {
          const made = await makeProfile();
          remove = made.remove;
          // Of Firefox in kilobytes.
          const prefs = { 'dom.quotaManager.temporaryStorage.fixedLimit': QUOTA_KB, 'dom.quotaManager.temporaryStorage.chunkSize': 64 };
          browser = await startBrowser(name, { profile: made.profile, prefs });
          page = await browser.open(site().url);
          await browser.setQuota?.(new URL(site().url).origin, QUOTA_KB * 1000);
        });
        afterAll(async () => {
          await browser?.close();
          await remove();
        });

        test('a repository that fills the quota is StorageFull, and stays what it was', async () => {
          const place = { name: 'full', storage };
          const { code, head, commits } = await page.run<{ code: string; head: string; commits: number }>('worker', 'fill', place);
          expect(code).toBe('StorageFull');
          expect(commits).toBeGreaterThan(2);
          expect(await page.run<State>('worker', 'state', place)).toMatchObject({ head, faults: [], records: 10 + 8 * (commits - 1) });
        });

        test('so is one that is filled with blobs', async () => {
          const place = { name: 'full', storage };
          const before = await page.run<State>('worker', 'state', place);
          const { code, blobs } = await page.run<{ code: string; blobs: number }>('worker', 'fillBlobs', place);
          expect(code).toBe('StorageFull');
          const after = await page.run<State>('worker', 'state', place);
          expect(after).toMatchObject({ head: before.head, faults: [], records: before.records, blobs });
        });
      });
    }
  });
}
