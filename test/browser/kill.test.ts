/**
 * Browsers that are killed during writes and started again with the same profile. PDSDB_KILLS is the number of kills
 * (default: 3). PDSDB_OPEN_MS is the longest time to open the repository again, in milliseconds (default: no limit,
 * because a busy machine is slow).
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasDeletedData } from './chromium-logs.ts';
import { isMissing, makeProfile, startBrowser } from './browsers.ts';
import type { TestPage } from './browsers.ts';
import { useSite } from './in-browser.ts';
import type { Found, Place } from './repo-commands.ts';
import { bodyOf } from './site.ts';

const KILLS = Number(process.env['PDSDB_KILLS'] ?? 3);

/** The time of the opening only, without the start of the browser, and before any read. */
const OPEN_MS = Number(process.env['PDSDB_OPEN_MS'] ?? Number.POSITIVE_INFINITY);

/** Long enough to write several commits, and short enough to sometimes kill the browser during the first ones. */
const MOST_MS = 1500;

const site = useSite();

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Writes until the first acknowledgement and for some time after it. An end before the kill is an error. */
const writeAWhile = async (page: TestPage, place: Place, first: Promise<void>, ms: number): Promise<void> => {
  const failed = page
    .run('worker', 'writeForever', place)
    .then(() => Promise.reject(new Error('it has stopped writing')));
  failed.catch(() => undefined);
  await Promise.race([first, failed]);
  await pause(ms);
};

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    for (const storage of ['opfs', 'indexeddb'] as const) {
      const mayDeleteData = name === 'chromium' && storage === 'indexeddb';
      const unless = mayDeleteData ? ' (unless the browser has deleted its IndexedDB data, which is counted)' : '';
      const title = `${storage}: killed ${KILLS} times while it writes, every acknowledged commit is stored, and no data is damaged${unless}`;
      test(title, { timeout: 60_000 + KILLS * 60_000 }, async () => {
        const place = { name: 'killed', storage };
        const { profile, remove } = await makeProfile();
        onTestFinished(remove);
        let acknowledged: string[] = [];
        let onFirst = (): void => {};
        site().on('/acknowledged', async (request, response) => {
          acknowledged.push(String(await bodyOf(request)));
          onFirst();
          response.end();
        });
        let before: readonly string[] = [];
        let [resets, commits, slowest, slowestAll, waited] = [0, 0, 0, 0, 0];
        for (let kill = 0; kill <= KILLS; kill++) {
          const browser = await startBrowser(name, { profile });
          try {
            const page = await browser.open(site().url);
            const since = performance.now();
            const found = kill > 0 ? await page.run<Found>('worker', 'openAgain', place) : undefined;
            const where = `after kill ${kill}, ${Math.round(waited)} ms after the first of ${acknowledged.length} commits was acknowledged`;
            if (found !== undefined && 'refusal' in found) {
              // Chromium has deleted all data in IndexedDB. Later writes must survive.
              expect([found.refusal, mayDeleteData && hasDeletedData(profile)], where).toEqual(['RepoNotFound', true]);
              resets += 1;
              before = [];
            } else if (found !== undefined) {
              const { head, faults, log, openMs } = found;
              slowest = Math.max(slowest, openMs);
              slowestAll = Math.max(slowestAll, performance.now() - since);
              expect(openMs, `milliseconds to open, ${where}`).toBeLessThan(OPEN_MS);
              expect(faults, where).toEqual([]);
              expect(log[0], where).toBe(head);
              // Newest first: the acknowledged commits, and at most one whose acknowledgement was lost.
              const added = log.slice(0, log.length - before.length).reverse();
              expect(log.slice(log.length - before.length), where).toEqual(before);
              expect(added.slice(0, acknowledged.length), where).toEqual(acknowledged);
              expect(added.length, where).toBeLessThanOrEqual(acknowledged.length + 1);
              before = log;
              commits += acknowledged.length;
            }
            acknowledged = [];
            if (kill < KILLS) {
              waited = Math.random() * MOST_MS;
              await writeAWhile(page, place, new Promise((resolve) => (onFirst = resolve)), waited);
            }
          } finally {
            await browser.kill();
          }
        }
        console.log(
          `${name} ${storage}: ${KILLS} kills, ${commits} commits acknowledged and found, opened in ${Math.round(slowest)} ms at most, and read and verified in ${Math.round(slowestAll)} ms at most${mayDeleteData ? `, deleted by the browser ${resets} times` : ''}`,
        );
        expect(resets).toBeLessThanOrEqual(KILLS / 3);
        expect(commits).toBeGreaterThan(KILLS - resets - 1);
      });
    }
  });
}
