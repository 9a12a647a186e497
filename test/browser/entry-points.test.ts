/**
 * The entry points for browsers in real browsers: all cases of a repository through a worker, and their own functions.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { repoMakingCases } from '../../src/testing/repo/making-cases.ts';
import { repoCases } from '../../src/testing/repo/cases.ts';
import { DID } from '../../src/testing/repo/harness.ts';
import { BROWSERS, isMissing } from './browsers.ts';
import type { BrowserName } from './browsers.ts';
import { useBrowserWith } from './use-browser.ts';
import { useSite } from './in-browser.ts';
import { openTab, serveTabs } from './tab-site.ts';

const STORAGES = {
  chromium: ['opfs', 'indexeddb'],
  firefox: ['opfs', 'indexeddb'],
  // WebKitGTK has no OPFS.
  webkit: ['indexeddb'],
} as const satisfies Record<BrowserName, readonly string[]>;

/**
 * Returns all cases for the first storage of a browser. The other storage differs in how a repository is made, and in
 * its files: `grid.test.ts` runs their cases, and those of blobs and of garbage.
 */
const casesOver = (name: BrowserName, storage: string): typeof repoCases =>
  storage === STORAGES[name][0] ? repoCases : repoMakingCases;

const site = useSite();
beforeAll(async () => {
  await serveTabs(site());
});

for (const name of BROWSERS) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    const tab = useBrowserWith(name, (browser) => openTab(browser, site()));

    // First, because a list opens each repository that the cases leave.
    test('repositories are listed and deleted, but not while they are open', async () => {
      await tab().run('open', { name: 'listed', did: DID });
      expect((await tab().run<{ name: string }[]>('list')).map((repo) => repo.name)).toContain('listed');
      await expect(tab().run('remove', { name: 'listed' })).rejects.toThrow(/open/);
      await tab().run('close', { name: 'listed' });
      await tab().run('remove', { name: 'listed' });
      expect((await tab().run<{ name: string }[]>('list')).map((repo) => repo.name)).not.toContain('listed');
      await expect(tab().run('open', { name: 'listed' })).rejects.toThrow(/the repository is missing/);
    });

    for (const storage of STORAGES[name]) {
      describe(`a repository in a worker, over ${storage}`, () => {
        for (const { name: caseName } of casesOver(name, storage)) {
          test(caseName, async (context) => {
            const { outcome, message } = await tab().run<{ outcome: string; message: string }>('runCase', {
              storage,
              name: caseName,
            });
            if (outcome === 'skipped') {
              context.skip(message);
            }
            expect(outcome, message).toBe('passed');
          });
        }

        test('info returns the storage, and the folder can be exported and imported', async () => {
          const source = `folder-${storage}`;
          await tab().run('open', { name: source, did: DID, storage });
          await tab().run('put', { name: source, from: 0, count: 3 });
          expect(await tab().run('info', { name: source })).toEqual({
            commits: 3,
            records: 3,
            storage,
            persistent: false,
          });
          await tab().run('close', { name: source });
          expect(await tab().run('copyFolder', { name: source, to: `${source}-copy`, storage: 'indexeddb' })).toEqual({
            did: DID,
            blobs: 0,
          });
          await tab().run('open', { name: `${source}-copy` });
          expect(await tab().run('verify', { name: `${source}-copy` })).toEqual({ ok: true, faults: [] });
          expect(await tab().run('keys', { name: `${source}-copy` })).toEqual([0, 1, 2]);
        });
      });
    }

    test('a worker that does not start rejects with the reason', async () => {
      expect(await tab().run('badWorker', { script: 'no-such-worker.js' })).toMatch(
        /^StorageFailed: the worker did not start/,
      );
      expect(await tab().run('badWorker', { script: 'broken-worker.js' })).toMatch(
        /^StorageFailed: the worker did not start/,
      );
    });

    test('calls of a dead worker do not wait', async () => {
      expect(await tab().run('deadWorker', { name: 'dead' })).toEqual(['OutcomeUnknown', 'Closed']);
    });
  });
}
