/**
 * A large import in a worker, and pages that are left or frozen. PDSDB_RECORDS is the number of records (default:
 * 30,000). The viewer imports 100,000 in its own test.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { DID, KEY, creates } from '../../src/testing/repo/harness.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { isMissing } from './browsers.ts';
import { useBrowser, useSite } from './in-browser.ts';
import type { Lateness } from './lateness.ts';
import { openEndingTab, serveTabs } from './tab-site.ts';

const RECORDS = Number(process.env['PDSDB_RECORDS'] ?? 30_000);
/**
 * Shares of the duration of the import, for a 50 ms timer of the page: its longest delay, and the time that its ticks
 * cover. Where the worker does the work, they are below 0.05 and near 1. A page that does the work itself stands still
 * for nearly all of it. No limit is a time, because a busy machine breaks each.
 */
const MOST_LATE = 0.5;
const LEAST_TICKED = 0.2;

interface Imported {
  readonly result: number;
  readonly told: number;
  readonly lag: Lateness;
}

const site = useSite();
beforeAll(async () => {
  await serveTabs(site());
  const repo = repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore(), signer: KEY });
  await repo.write(creates(RECORDS));
  const car = await readAll(repo.exportCar());
  site().on('/large.car', (_request, response) => {
    response.end(car);
  });
  site().on('/unfinished.car', (_request, response) => {
    // The second half never comes, so the import cannot end before the page aborts it.
    response.write(car.subarray(0, car.length / 2));
  });
}, 300_000);

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    const started = useBrowser(name, site);
    const openTab = () => openEndingTab(started().browser, site());
    const openTwoTabs = async () => [await openTab(), await openTab()] as const;

    for (const storage of ['opfs', 'indexeddb'] as const) {
      test(`${storage}: importing ${RECORDS} records keeps the page responsive, shows progress, and can be aborted`, {
        timeout: 600_000,
      }, async () => {
        const tab = await openEndingTab(started().browser, site());
        const repo = `large-${storage}`;
        await tab.run('open', { name: repo, did: DID, storage });
        const stopped = await tab.run<{ result: string }>('import', {
          name: repo,
          url: '/unfinished.car',
          abortAfterBytes: 1,
        });
        expect(stopped.result).toBe('enough');
        expect(await tab.run('info', { name: repo })).toMatchObject({ records: 0, commits: 0 });
        const { result, told, lag } = await tab.run<Imported>('import', { name: repo, url: '/large.car' });
        console.log(
          `${name} ${storage}: ${RECORDS} records in ${Math.round(lag.ms)} ms, progress told ${told} times, a 50 ms timer at most ${Math.round(lag.late * lag.ms)} ms late, its ticks cover ${lag.ticked.toFixed(2)} of the time`,
        );
        expect(result).toBe(RECORDS);
        expect(told).toBeGreaterThan(10);
        expect(lag.late, 'the longest delay').toBeLessThan(MOST_LATE);
        expect(lag.ticked, 'the time that the ticks cover').toBeGreaterThan(LEAST_TICKED);
        await tab.close();
      });
    }

    test.each(['opfs', 'indexeddb'])('a page that is left releases the repository at once: %s', async (storage) => {
      const repo = `left-${storage}`;
      const [first, second] = await openTwoTabs();
      await first.run('open', { name: repo, did: DID, storage });
      await second.run('open', { name: repo });
      await first.run('put', { name: repo, from: 0, count: 2 });
      await first.goTo(`${site().url}tab?elsewhere`);
      await second.run('put', { name: repo, from: 2, count: 2 });
      expect(await second.run('keys', { name: repo })).toEqual([0, 1, 2, 3]);
      expect(await second.run('verify', { name: repo })).toEqual({ ok: true, faults: [] });
      await Promise.all([first.close(), second.close()]);
    });

    // A test cannot freeze a page of Firefox.
    const frozen = name === 'chromium' ? ['opfs', 'indexeddb'] : [];
    test.each(frozen)(
      'a frozen page releases the repository, and takes part again when it resumes: %s',
      async (storage) => {
        const repo = `frozen-${storage}`;
        const [first, second] = await openTwoTabs();
        await first.run('open', { name: repo, did: DID, storage });
        await second.run('open', { name: repo });
        await first.run('put', { name: repo, from: 0, count: 2 });
        await first.setFrozen(true);
        await second.run('put', { name: repo, from: 2, count: 2 });
        await first.setFrozen(false);
        await first.run('put', { name: repo, from: 4, count: 2 });
        expect(await second.run('keys', { name: repo })).toEqual([0, 1, 2, 3, 4, 5]);
        expect(await first.run<unknown[]>('heard', { name: repo })).toHaveLength(6);
        expect(await second.run('verify', { name: repo })).toEqual({ ok: true, faults: [] });
        await Promise.all([first.close(), second.close()]);
      },
    );
  });
}
