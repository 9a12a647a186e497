/** The published package in apps of every supported bundler, under a strict content security policy. */
import type { Page } from 'puppeteer-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildPackage } from '../built-package.ts';
import { drivenOf, isMissing } from './browsers.ts';
import { APP_NAMES, apps } from './bundled-apps.ts';
import { useBrowserWith } from './use-browser.ts';

/** Returns the result of the app, or its error. Neither exists if a module does not load. */
const outcomeOf = async (page: Page, timeout: number): Promise<string> => {
  try {
    const outcome = await page.waitForFunction(
      () => (globalThis as unknown as { outcome?: Promise<string> }).outcome?.catch(String),
      { timeout },
    );
    return (await outcome.jsonValue()) ?? '';
  } catch (error) {
    return String(error);
  }
};

describe.skipIf(isMissing('chromium'))('an app (needs chromium)', () => {
  let pkg: string;
  beforeAll(async () => {
    pkg = await buildPackage('bundlers');
  }, 180_000);
  const browser = useBrowserWith('chromium', drivenOf);

  for (const name of APP_NAMES) {
    test(`with ${name}`, { timeout: 180_000 }, async () => {
      const app = await apps[name](pkg);
      const page = await browser().newPage();
      const trouble: string[] = [];
      page.on('console', (message) => trouble.push(message.text()));
      page.on('requestfailed', (request) => trouble.push(`failed: ${request.url()}`));
      page.on('pageerror', (error) => trouble.push(String(error)));
      page.on(
        'response',
        (response) => response.status() >= 400 && trouble.push(`${response.status()} ${response.url()}`),
      );
      try {
        let outcome = '';
        for (let left = app.visits ?? 1; outcome !== 'hello' && left > 0; left--) {
          await page.goto(app.url);
          // A server that bundles again refuses its earlier bundles, so only the last visit must complete.
          outcome = await outcomeOf(page, left > 1 ? 15_000 : 60_000);
        }
        expect(outcome).toBe('hello');
        // No cross-origin isolation headers (COOP/COEP) were needed, and the policy refused nothing.
        expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
        expect(trouble.filter((one) => /Content.Security.Policy/i.test(one))).toEqual([]);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${trouble.join('\n')}`, { cause: error });
      } finally {
        await page.close();
        await app.close();
      }
    });
  }
});
