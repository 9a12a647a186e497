/** The site and a browser for the tests of a file. */
import { afterAll, beforeAll } from 'vitest';
import { makeProfile, startBrowser } from './browsers.ts';
import type { BrowserName, TestBrowser, TestPage } from './browsers.ts';
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

/** A browser with a fresh profile for all tests of the `describe`, and a page of the site in it. */
export const useBrowser = (name: BrowserName, site: () => Site, prefs: Readonly<Record<string, unknown>> = {}): (() => { browser: TestBrowser; page: TestPage }) => {
  let started: { browser: TestBrowser; page: TestPage } | undefined;
  let removeProfile: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    const { profile, remove } = await makeProfile();
    removeProfile = remove;
    const browser = await startBrowser(name, { profile, prefs });
    started = { browser, page: await browser.open(site().url) };
  });
  afterAll(async () => {
    await started?.browser.close();
    await removeProfile?.();
  });
  return () => started!;
};
