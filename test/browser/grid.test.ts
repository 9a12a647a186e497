/**
 * The conformance cases of the storage ports in every browser over each of its storages, and the cases of a repository
 * that depend most on the storage.
 */
import { describe, expect, test } from 'vitest';
import type { BrowserStorage } from '../../src/adapters/platform/browser-platform.ts';
import { BROWSERS, isMissing } from './browsers.ts';
import type { BrowserName } from './browsers.ts';
import { useBrowser, useSite } from './in-browser.ts';
import { SUITE_NAMES, suites } from './suites.ts';
import type { Outcome } from './suites.ts';

interface Column {
  readonly storage: BrowserStorage;
  readonly where: 'page' | 'worker';
}

const WORKER_OPFS: Column = { storage: 'opfs', where: 'worker' };
const WORKER_IDB: Column = { storage: 'indexeddb', where: 'worker' };
const PAGE_IDB: Column = { storage: 'indexeddb', where: 'page' };

const GRID: Readonly<Record<BrowserName, readonly Column[]>> = {
  chromium: [WORKER_OPFS, WORKER_IDB, PAGE_IDB],
  firefox: [WORKER_OPFS, WORKER_IDB, PAGE_IDB],
  // WebKitGTK has no OPFS.
  webkit: [WORKER_IDB, PAGE_IDB],
};

const site = useSite();

for (const name of BROWSERS) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    const started = useBrowser(name, site);

    test('detects OPFS', async () => {
      expect(await started().page.run('page', 'hasOpfs')).toBe(false);
      expect(await started().page.run('worker', 'hasOpfs')).toBe(name !== 'webkit');
    });

    for (const { storage, where } of GRID[name]) {
      describe(`${storage}, in the ${where}`, () => {
        for (const suite of SUITE_NAMES) {
          describe(suite, () => {
            for (const { name: caseName } of suites[suite].cases) {
              test(caseName, async (context) => {
                const outcome = await started().page.run<Outcome>(where, 'runCase', { suite, storage, name: caseName });
                if (outcome.outcome === 'skipped') {
                  context.skip(outcome.message);
                }
                if (outcome.outcome === 'failed') {
                  throw new Error(outcome.message);
                }
              });
            }
          });
        }
      });
    }
  });
}
