/** The viewer in real browsers, with an account of a real PDS on loopback. */
import type { Page } from 'puppeteer-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { isAxeMissing, violationsOf } from '../browser/axe.ts';
import { isMissing } from '../browser/browsers.ts';
import { POLLING, press, sees, seesNotice, textsOf, useExample, useVisitor } from '../browser/example-site.ts';
import type { ExampleSite } from '../browser/example-site.ts';
import { PICTURE } from '../browser/viewer-page.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Driver, HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';

const BROWSERS = ['chromium', 'firefox'] as const;
const NOTES = 'com.example.note';
/** What browsers write to the console about connections that a test refuses. */
const REFUSED = /Failed to load resource|Cross-Origin Request Blocked|WebSocket|ws:\/\//;

/** Sets the text of the field for an account on the first page, and opens it. */
const open = async (page: Page, text: string): Promise<void> => {
  await page.waitForSelector('#account');
  await page.$eval('#account', (input, value) => ((input as HTMLInputElement).value = value), text);
  await press(page, 'Open');
};

describe.skipIf(lacksPds || BROWSERS.some(isMissing))(`the viewer and a PDS${why}`, { timeout: 120_000 }, () => {
  const network = useNetwork({ proxy: true });
  const serve = useExample('viewer');
  let pds: Pds;

  beforeAll(() => {
    pds = network.pds[0]!;
  });

  /** The address of the page, which asks the servers of this test. */
  const home = ({ url }: ExampleSite): string =>
    `${url}?pds=${encodeURIComponent(pds.url)}&plc=${encodeURIComponent(network.plcUrl)}`;
  const hosted = async (name: string, moves: number): Promise<{ account: HostedAccount; driver: Driver }> => {
    const account = await pds.createAccount({ name });
    const driver = await createDriver(account, { seed: 7 });
    await driver.run(moves);
    return { account, driver };
  };
  /** What the sidebar must show: the collections with their counts. */
  const collectionsOf = (driver: Driver): string[] => {
    const counts = new Map<string, number>();
    for (const path of driver.at().keys()) {
      const collection = path.slice(0, path.indexOf('/'));
      counts.set(collection, (counts.get(collection) ?? 0) + 1);
    }
    return [...counts].sort().map(([collection, count]) => `${collection}\n${count}`);
  };
  const shownCollections = (page: Page): Promise<string[]> => textsOf(page, '.sidebar ul:last-child a');

  describe.each(BROWSERS)('in %s', (name) => {
    const visit = useVisitor(name);
    /** Firefox computes the same roles, names and colors, and takes longer. */
    const expectAccessible = async (page: Page): Promise<void> => {
      if (name === 'chromium' && !isAxeMissing) {
        expect(await violationsOf(page)).toEqual([]);
      }
    };

    test('copies an account, continues after Cancel, and verifies it with the key of the DID document', async () => {
      const { account, driver } = await hosted(`alice-${name}`, 15);
      const key = (await pds.signingKey(account.did)).did();
      const site = await serve();
      const { page, complaints } = await visit(home(site));
      // The host sends nothing at first, so that there is time to cancel.
      pds.faults.next({ match: /getRepo/, delay: 9_000 });
      await open(page, account.handle);
      await sees(page, 'Downloading the records');
      await expectAccessible(page);
      await press(page, 'Cancel');
      await seesNotice(page, 'Cancelled.');
      expect(await textsOf(page, '.kept')).toEqual([]);
      expect(await page.$eval('#account', (input) => (input as HTMLInputElement).value)).toBe(account.handle);

      await press(page, 'Open');
      await sees(page, `${driver.at().size} records copied from the host and checked.`);
      expect(await shownCollections(page)).toEqual(collectionsOf(driver));
      expect((await textsOf(page, '.facts dd')).slice(0, 3)).toEqual([
        `@${account.handle}`,
        pds.url,
        expect.stringMatching(new RegExp(`^Verified with the key of the DID document\\n${key}\\nLooked up `)),
      ]);
      await press(page, 'Verify');
      await sees(page, 'Everything here is sound.');
      expect(await textsOf(page, '.outcome p')).toContain(
        'The newest commit is verified with the key of the DID document.',
      );

      // A link opens its record at once, also when the host is down.
      await press(page, 'Repositories');
      const [path] = [...driver.at().keys()].filter((one) => one.startsWith(NOTES));
      pds.faults.next({ times: Infinity, refuse: true });
      await open(page, `at://${account.did}/${path}`);
      await page.waitForSelector('.json');
      expect(await textsOf(page, '.record h2')).toEqual([path!.slice(NOTES.length + 1)]);
      await seesNotice(page, 'It is in this browser already.');
      // So does its handle, which cannot be looked up then.
      await press(page, 'Repositories');
      await open(page, account.handle);
      await sees(page, 'Is it sound?');
      pds.faults.clear();
      expect(complaints.filter((text) => !REFUSED.test(text))).toEqual([]);
    });

    test('pulls what has changed, and shows changes as they happen', async () => {
      const { account, driver } = await hosted(`carol-${name}`, 10);
      const site = await serve();
      const { page, complaints } = await visit(home(site));
      await open(page, account.handle);
      await sees(page, 'copied from the host and checked.');
      await press(page, 'Pull');
      await sees(page, 'Up to date.');
      const before = driver.at().size;
      await driver.step('create');
      await driver.step('post');
      expect(driver.at().size).toBe(before + 2);
      await press(page, 'Pull');
      await sees(page, 'Updated: 2 created.');
      expect(await shownCollections(page)).toEqual(collectionsOf(driver));

      await press(page, 'Live');
      await page.waitForSelector('.live-state[data-state=live]');
      await expectAccessible(page);
      // The open list shows a new record at its place.
      await press(page, NOTES);
      await page.waitForSelector('.row .said');
      await driver.step('create');
      const path = [...driver.at().keys()].filter((one) => one.startsWith(NOTES)).at(-1)!;
      await page.waitForFunction(
        (rkey) => [...document.querySelectorAll('.row .mono')].some((one) => one.textContent === rkey),
        POLLING,
        path.slice(NOTES.length + 1),
      );
      await sees(page, ': 1 created');
      // It connects again by itself.
      pds.faults.next({ match: /subscribeRepos/, refuse: true });
      pds.faults.dropAll();
      await page.waitForSelector('.live-state[data-state=offline]');
      await page.waitForSelector('.live-state[data-state=live]');
      await driver.run(3);
      await page.waitForFunction(
        (wanted) =>
          [...document.querySelectorAll<HTMLElement>('.sidebar ul:last-child a')].map((one) => one.innerText).join() ===
          wanted,
        POLLING,
        collectionsOf(driver).join(),
      );
      // Leaving the repository ends it.
      await press(page, 'Repositories');
      await page.waitForSelector('.home');
      await press(page, account.did);
      await sees(page, 'Is it sound?');
      expect(await page.$eval('[role=switch]', (one) => one.ariaChecked)).toBe('false');
      expect(complaints.filter((text) => !REFUSED.test(text))).toEqual([]);
    });

    test('downloads the blobs of a record when it is viewed, and all others on request', async () => {
      const { account } = await hosted(`dave-${name}`, 12);
      const { repo } = account.agent.com.atproto;
      const { data } = await repo['uploadBlob']!(PICTURE, { encoding: 'image/png' });
      const record = { $type: NOTES, text: 'A picture', image: data.blob };
      await repo['createRecord']!({ repo: account.did, collection: NOTES, rkey: 'picture', record });
      const site = await serve();
      const { page } = await visit(home(site));
      pds.faults.next({ match: /getBlob/, status: 404, body: { error: 'BlobNotFound', message: 'Blob not found' } });
      await open(page, `at://${account.handle}/${NOTES}/picture`);
      await sees(page, 'The server does not have this file.');
      await press(page, 'Try again');
      await page.waitForFunction(
        () => document.querySelector<HTMLImageElement>('.figures img')?.naturalWidth === 1,
        POLLING,
      );

      await press(page, 'Overview');
      await press(page, 'Download all missing blobs');
      await page.waitForFunction(() => /^[1-9]\d* blobs? downloaded/m.test(document.body.innerText), POLLING);
      await press(page, 'Download all missing blobs');
      await sees(page, 'No blob is missing.');
      await expectAccessible(page);
      await press(page, 'Verify');
      await sees(page, 'Everything here is sound.');
    });

    test('says why an account cannot be opened, and leaves nothing of it', async () => {
      const { account } = await hosted(`bob-${name}`, 1);
      const site = await serve();
      const { page } = await visit(home(site));
      await open(page, 'nobody.pds0.test');
      await sees(page, 'No account has this handle.');
      await open(page, 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
      await sees(page, 'No account has this DID.');
      await pds.takedown(account.did);
      await open(page, account.did);
      await sees(page, 'The server has taken the account down.');
      pds.faults.next({ times: Infinity, refuse: true });
      await open(page, account.handle);
      await sees(page, 'There is no connection to the server.');
      pds.faults.clear();
      expect(await textsOf(page, '.kept')).toEqual([]);
      // Without the servers of the address, a local host is not asked.
      await page.evaluate(() => document.querySelector('details.advanced')!.setAttribute('open', ''));
      await page.$eval('#plc-host', (input) => ((input as HTMLInputElement).value = ''));
      await page.$eval('#pds-host', (input) => ((input as HTMLInputElement).value = 'nothing'));
      await page.$eval('#pds-host', (input) => input.dispatchEvent(new Event('change', { bubbles: true })));
      await sees(page, 'That is not the address of a server');
      await page.waitForFunction(() => document.querySelector('#pds-host')?.ariaInvalid === 'true', POLLING);
      await page.$eval('#pds-host', (input) => ((input as HTMLInputElement).value = ''));
      await page.$eval('#pds-host', (input) => input.dispatchEvent(new Event('change', { bubbles: true })));
      expect(new URL(page.url()).search).toBe('');
    });
  });
});
