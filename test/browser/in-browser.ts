/** The site and a browser for the tests of a file. */
import { afterAll, beforeAll } from 'vitest';
import type { BrowserName, StartOptions, TestBrowser, TestPage } from './browsers.ts';
import { useBrowserWith } from './use-browser.ts';
import { startSite } from './site.ts';
import type { Site } from './site.ts';

/** A site for all tests of the file. */
export const useSite = (): (() => Site) => {
  let site: Site | undefined;
  beforeAll(async () => {
    site = await startSite();
  });
  afterAll(() => site?.close());
  return () => site!;
};

/** A browser for all tests of the `describe`, and a page of the site in it. */
export const useBrowser = (
  name: BrowserName,
  site: () => Site,
  prefs?: StartOptions['prefs'],
): (() => { browser: TestBrowser; page: TestPage }) =>
  useBrowserWith(name, async (browser) => ({ browser, page: await browser.open(site().url) }), { prefs });
