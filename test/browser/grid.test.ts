/**
 * The conformance cases of the storage ports in every browser over each of its storages, and in a page the cases of a
 * repository that depend most on the storage.
 */
import { describe, expect, test } from 'vitest';
import type { BrowserStorage } from '../../src/adapters/platform/browser-platform.ts';
import { BROWSERS, isMissing } from './browsers.ts';
import type { BrowserName } from './browsers.ts';
import { useBrowser, useSite } from './in-browser.ts';
import { suites } from './suites.ts';
import type { Outcome, SuiteName } from './suites.ts';

interface Column {
  readonly storage: BrowserStorage;
  readonly where: 'page' | 'worker';
  readonly suites: readonly SuiteName[];
}

/** `entry-points.test.ts` runs the cases of a repository in a worker. */
const WORKER_SUITES: readonly SuiteName[] = ['database files', 'blob store', 'block store'];
/**
 * A block store has the same SQLite in a page and in a worker. Only its files depend on the place: their cases run in
 * both, and the cases of a repository run over it.
 */
const PAGE_SUITES: readonly SuiteName[] = ['database files', 'blob store', 'repository'];

const WORKER_OPFS: Column = { storage: 'opfs', where: 'worker', suites: WORKER_SUITES };
const WORKER_IDB: Column = { storage: 'indexeddb', where: 'worker', suites: WORKER_SUITES };
const PAGE_IDB: Column = { storage: 'indexeddb', where: 'page', suites: PAGE_SUITES };

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

    for (const { storage, where, suites: names } of GRID[name]) {
      describe(`${storage}, in the ${where}`, () => {
        for (const suite of names) {
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
