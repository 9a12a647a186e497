/** The pages of the viewer: headings, messages about keys and queries, other tabs, and axe-core. */
import type { Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { isAxeMissing, violationsOf } from './axe.ts';
import { isMissing } from './browsers.ts';
import { POLLING, press, sees, seesNotice, textsOf, useExample, useVisitor } from './example-site.ts';
import { LIKES, POSTS, carWith, drop, openFirst, searchFor } from './viewer-page.ts';

const DID = 'did:web:pages.example';
const PROFILE = 'app.bsky.actor.profile/self';
const LONG = 'com.example.a-collection-with-a-name-that-is-longer-than-a-sidebar.item';
const createdAt = '2026-03-14T09:26:53.000Z';

const car = (): Promise<Buffer> =>
  carWith(DID, {
    [PROFILE]: { displayName: 'Tide tables' },
    [`${POSTS}/k1`]: { text: 'The tide was late, and the tides were high', createdAt },
    [`${POSTS}/k2`]: { text: 'Tidemarks all over', createdAt },
    [`${POSTS}/k3`]: { text: '東京の潮', createdAt },
    [`${LIKES}/k4`]: { subject: { uri: `at://${DID}/${POSTS}/k1` }, createdAt },
    [`${LONG}/k5`]: { title: 'Long' },
  });

const serve = useExample('viewer');

/** Returns the texts of the visible first-level headings. */
const headings = (page: Page): Promise<string[]> =>
  page.$$eval('h1', (found) => found.filter((one) => one.checkVisibility()).map((one) => one.textContent));

const badLists = (page: Page): Promise<number> =>
  page.$$eval(':is(ul, ol) > :not(li, script, template)', (found) => found.length);

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`pages of the viewer in ${name} (needs the browser)`, { timeout: 180_000 }, () => {
    const visit = useVisitor(name);

    // Firefox has the same elements and colors.
    const lacksAxe = isAxeMissing || name !== 'chromium';
    test.skipIf(lacksAxe)('axe-core finds no violation on any view, wide and narrow, light and dark', async () => {
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      const check = async (view: string): Promise<void> => {
        for (const width of [400, 1280]) {
          await page.setViewport({ width, height: 800 });
          expect(await violationsOf(page), `${view}, ${width}`).toEqual([]);
          expect(await headings(page), view).toHaveLength(1);
          expect(await badLists(page), view).toBe(0);
        }
        // Dark pages differ only in their colors.
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
        expect(await violationsOf(page, { only: 'contrast' }), `${view}, dark`).toEqual([]);
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
      };
      await sees(page, 'Bring a');
      await check('nothing yet');
      await drop(page, site, 'no.car', Buffer.from('<!doctype html>'));
      await page.waitForSelector('.note.bad');
      await check('a refused file');
      await drop(page, site, 'pages.car', await car());
      await sees(page, 'imported and checked.');
      await check('imported');
      await press(page, 'Verify');
      await sees(page, 'Everything here is sound.');
      await check('verified');
      await press(page, 'Delete from this browser');
      await check('the question before deleting');
      await press(page, 'Keep it');
      await press(page, POSTS);
      await page.waitForSelector('.row .said');
      await check('a list');
      for (const path of [`${POSTS}/k1`, `${LIKES}/k4`, PROFILE, `${LONG}/k5`]) {
        await page.goto(`${site.url}?repo=${DID}#${path}`);
        await page.waitForSelector('.json');
        await check(path);
      }
      await page.goto(`${site.url}?repo=${DID}#${POSTS}/none`);
      await sees(page, 'There is no such record here.');
      await check('no record');
      await page.goto(`${site.url}?repo=${DID}#com.example.none`);
      await sees(page, 'There is no such collection here.');
      await check('no collection');
      await page.goto(`${site.url}?repo=${DID}&q=tide#search`);
      await page.waitForSelector('.row mark');
      await check('found');
      await page.goto(`${site.url}?repo=did:web:none.example`);
      await sees(page, 'There is no such repository in this browser.');
      await check('no repository');
      await page.goto(site.url);
      await sees(page, 'In this browser');
      await check('the repositories');
      expect(complaints).toEqual([]);
    });

    test('search finds whole words, marks them, and stays after a reload', async () => {
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      await sees(page, 'Bring a');
      await drop(page, site, 'pages.car', await car());
      await sees(page, 'imported and checked.');
      await press(page, POSTS);
      await page.waitForSelector('.row .said');
      await searchFor(page, 'LATE tide');
      await sees(page, '1 found');
      expect(await textsOf(page, '.row mark')).toEqual(['tide', 'late']);
      expect(await textsOf(page, '.row .mono')).toEqual(['k1']);
      await openFirst(page);
      await page.waitForSelector('.json');
      await page.reload();
      await page.waitForSelector('.json');
      await page.waitForSelector('.row mark');
      expect(await page.$eval('.search input', (input) => (input as HTMLInputElement).value)).toBe('LATE tide');
      expect(await textsOf(page, '.row .mono')).toEqual(['k1']);
      // Scripts without spaces have no whole words.
      await searchFor(page, '京');
      await page.waitForFunction(() => document.querySelector('.row .mono')?.textContent === 'k3', POLLING);
      await searchFor(page, '');
      await sees(page, '3 records');
      expect(new URL(page.url()).searchParams.has('q')).toBe(false);
      // In all collections, beside the open record.
      await press(page, 'Search everything');
      await sees(page, 'All collections');
      await searchFor(page, 'tide');
      await sees(page, '2 found');
      await openFirst(page);
      await page.waitForSelector('.json');
      await page.reload();
      await sees(page, '2 found');
      expect(await textsOf(page, '.list-pane h2')).toEqual(['All collections']);
      expect(complaints).toEqual([]);
    });

    test('reports an invalid key, shows display names of repositories, and does not clip a collection', async () => {
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      await sees(page, 'Bring a');
      await drop(page, site, 'pages.car', await car());
      await sees(page, 'imported and checked.');
      await page.type('#account-key', 'did:plc:nokey');
      await press(page, 'Verify');
      await sees(page, 'That is not a did:key.');
      expect(await page.$eval('#account-key', (input) => input.getAttribute('aria-invalid'))).toBe('true');
      const clipped = await page.$$eval(
        '.sidebar a > *',
        (found) =>
          found.filter((one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).display !== 'inline').length,
      );
      expect(clipped).toBe(0);
      expect(await page.$eval('.side', (side) => side.scrollWidth <= side.clientWidth)).toBe(true);
      await press(page, 'Repositories');
      await sees(page, 'In this browser');
      expect(await textsOf(page, '.kept-words')).toEqual([
        expect.stringMatching(
          /^Tide tables\ndid:web:pages\.example\n6 records, \d+(?:\.\d+)? kB, last changed \d+ \w+ \d{4}/,
        ),
      ]);
      expect(complaints).toEqual([]);
    });

    test('follows what other tabs import and delete', async () => {
      const site = await serve();
      const { page: first, complaints } = await visit(site.url);
      const { page: second } = await visit(site.url);
      await sees(first, 'Bring a repository');
      await sees(second, 'Bring a repository');
      await drop(second, site, 'pages.car', await car());
      await sees(second, 'imported and checked.');
      await sees(first, 'In this browser');
      await press(first, 'Tide tables');
      await sees(first, 'Is it sound?');
      await press(second, 'Delete from this browser');
      await press(second, 'Delete');
      await seesNotice(second, 'Deleted from this browser.');
      await first.waitForSelector('.home');
      await sees(first, 'Bring a repository');
      expect(complaints).toEqual([]);
    });
  });
}
