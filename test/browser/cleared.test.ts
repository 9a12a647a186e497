/** "Clear site data" while a repository is open: the browser deletes the open files of the worker. */
import type { Page } from 'puppeteer-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { DID } from '../../src/testing/repo/harness.ts';
import type { TestBrowser } from './browsers.ts';
import { drivenOf, isMissing } from './browsers.ts';
import { useBrowser, useSite } from './in-browser.ts';
import { openTab, serveTabs } from './tab-site.ts';
import type { Tab } from './tab-site.ts';

const site = useSite();
beforeAll(async () => {
  await serveTabs(site());
  site().on('/clear', (_request, response) => {
    response.writeHead(200, { 'clear-site-data': '"storage"' }).end('cleared');
  });
});

/** Clears data as the settings of Chromium do, while pages stay open. */
const clearByProtocol = async (page: Page): Promise<void> => {
  const session = await page.createCDPSession();
  const { origin } = new URL(page.url());
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
  await session.detach();
};

/** Clears data with a header, which every browser supports. */
const clearByHeader = async (page: Page): Promise<void> => {
  await page.evaluate(async () => (await fetch(new URL('/clear', document.baseURI))).text());
};

const WAYS = [
  ['chromium', 'settings', clearByProtocol],
  ['chromium', 'a header', clearByHeader],
  ['firefox', 'a header', clearByHeader],
] as const;

/** Longer than any call on a busy machine. */
const WAIT_MS = 60_000;

/** Returns the result of a call, or the text of its error. */
const outcomeOf = async (call: Promise<unknown>): Promise<unknown> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve('nothing'), WAIT_MS)));
  const outcome = await Promise.race([call.catch((error: unknown) => String(error)), late]);
  clearTimeout(timer);
  return outcome;
};

for (const [name, how, clear] of WAYS) {
  describe.skipIf(isMissing(name))(`in ${name}, site data cleared by ${how} (needs the browser)`, () => {
    const started = useBrowser(name, site);
    const openPage = async (): Promise<{ tab: Tab; page: Page }> => {
      const browser: TestBrowser = started().browser;
      const before = new Set(await drivenOf(browser).pages());
      const tab = await openTab(browser, site());
      const page = (await drivenOf(browser).pages()).find((one) => !before.has(one))!;
      return { tab, page };
    };

    test.each(['opfs', 'indexeddb'])('while a repository is open, it can be created again: %s', async (storage) => {
      const repo = { name: `cleared-${storage}`, did: DID, storage };
      const { tab: holder, page } = await openPage();
      const { tab: other } = await openPage();
      await holder.run('open', repo);
      await holder.run('put', { ...repo, from: 0, count: 2 });
      await clear(page);

      // The page that had it open, and other open pages, create it again at once.
      expect(await outcomeOf(other.run('open', repo))).toBe(DID);
      await other.run('put', { ...repo, from: 5, count: 2 });
      expect(await other.run('keys', repo)).toEqual([5, 6]);
      // The old repository rejects. No acknowledged write is lost.
      expect(await outcomeOf(holder.run('put', { ...repo, from: 2, count: 1 }))).toMatch(/cleared the data|is closed/);
      // It opens the new repository, as every page does.
      expect(await outcomeOf(holder.run('open', { name: repo.name }))).toBe(DID);
      expect(await holder.run('keys', repo)).toEqual([5, 6]);
      await holder.run('put', { ...repo, from: 7, count: 1 });
      expect(await other.run('keys', repo)).toEqual([5, 6, 7]);
      expect(await holder.run('verify', repo)).toEqual({ ok: true, faults: [] });
      await holder.run('close', repo);
      await other.run('close', repo);
    });

    test.each(['opfs', 'indexeddb'])('the page that had it open creates it again: %s', async (storage) => {
      const repo = { name: `same-${storage}`, did: DID, storage };
      const { tab, page } = await openPage();
      await tab.run('open', repo);
      await tab.run('put', { ...repo, from: 0, count: 2 });
      await clear(page);
      // A write before that is refused, because its files are missing.
      expect(await outcomeOf(tab.run('put', { ...repo, from: 2, count: 1 }))).toMatch(/Error/);
      expect(await outcomeOf(tab.run('open', repo))).toBe(DID);
      await tab.run('put', { ...repo, from: 9, count: 1 });
      expect(await tab.run('keys', repo)).toEqual([9]);
      await tab.run('close', repo);
      expect(await tab.run('list')).toContainEqual({ name: repo.name, storage });
    });
  });
}
