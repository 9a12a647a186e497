/** The notes with an account at a real PDS, in one browser: sessions, tabs, faults, and the ways out. */
import type { Page } from 'puppeteer-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { isAxeMissing, violationsOf } from '../browser/axe.ts';
import { isMissing } from '../browser/browsers.ts';
import { POLLING, press, sees, seesNotice, useExample, useVisitor } from '../browser/example-site.ts';
import { add, edit, shows, signIn } from '../browser/notes-page.ts';
import type { Visitor } from '../browser/notes-page.ts';
import { useNetwork } from './network.ts';
import type { HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { hostHas, notesAtHost } from './notes-at-host.ts';

const CURRENT = 'Everything is at the server.';

/** Everything that the page has in `localStorage` and `sessionStorage`. */
const storedBy = (page: Page): Promise<string> =>
  page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));

describe.skipIf(lacksPds || isMissing('chromium'))(`the notes of an account${why}`, { timeout: 90_000 }, () => {
  const network = useNetwork({ proxy: true });
  const serve = useExample('local-first');
  const visit = useVisitor('chromium');
  let pds: Pds;

  beforeAll(() => {
    pds = network.pds[0]!;
  });

  const join = async (): Promise<{ readonly account: HostedAccount; readonly visitor: Visitor }> => {
    const account = await pds.createAccount();
    const { did, password } = account;
    return { account, visitor: { did, password, pdsUrl: pds.url, plcUrl: network.plcUrl } };
  };

  /** Returns the number of writes that the host has got from pages. A page also asks whether it may, with OPTIONS. */
  const writes = (): number =>
    pds.faults.log.filter(({ method, url }) => method === 'POST' && /putRecord|deleteRecord|applyWrites/.test(url))
      .length;

  test('nothing of a session is stored, and changes without a session wait for the next one', async () => {
    const { account, visitor } = await join();
    const { url } = await serve();
    const { page, complaints } = await visit(url);
    await signIn(page, visitor);
    await add(page, 'With a session');
    await sees(page, CURRENT);
    const stored = await storedBy(page);
    expect(stored).toContain(account.did);
    expect(stored).not.toMatch(/jwt|token/i);
    expect(stored).not.toContain(account.password);

    await page.reload();
    await add(page, 'Without a session');
    await sees(page, '1 change not sent yet. They stay in this browser.');
    expect(await notesAtHost(account)).toEqual(['With a session']);
    await page.type('.sign-in input[type=password]', 'not the password');
    await press(page, 'Sign in');
    await sees(page, 'The server does not accept the sign-in.');
    await page.$eval('.sign-in input[type=password]', (field) => ((field as HTMLInputElement).value = ''));
    await page.type('.sign-in input[type=password]', account.password);
    await press(page, 'Sign in');
    await sees(page, CURRENT);
    await hostHas(account, ['Without a session', 'With a session']);
    // The browser reports the response to the wrong password.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });

  test('a session that stays sends changes after a reload, and ends with the sign-out', async () => {
    const { account, visitor } = await join();
    const { url } = await serve();
    const { page } = await visit(url);
    await signIn(page, { ...visitor, stay: true });
    await sees(page, CURRENT);
    expect(await storedBy(page)).toMatch(/refreshJwt/);
    await page.reload();
    await add(page, 'After a reload');
    await sees(page, CURRENT);
    await hostHas(account, ['After a reload']);

    await press(page, 'Sign out');
    await press(page, 'Keep the copy');
    await sees(page, 'On several devices');
    expect(await storedBy(page)).not.toMatch(/jwt/i);
    await press(page, 'Open the copy of');
    await shows(page, ['After a reload']);
    await press(page, 'Sign out');
    await press(page, 'Delete the copy');
    await sees(page, 'On several devices');
    expect(await storedBy(page)).not.toContain(account.did);
  });

  test('a sign-out names the unsent changes before it deletes them, and keeps them otherwise', async () => {
    const { account, visitor } = await join();
    const { url } = await serve();
    const { page } = await visit(url);
    await signIn(page, visitor);
    await sees(page, CURRENT);
    await pds.restart(async () => {
      await add(page, 'Written offline');
      await sees(page, '1 change will be sent later.');
      await press(page, 'Sign out');
      await sees(page, 'The server does not have 1 unsent change.');
      // Something more is written while the question is shown, so its number is too small.
      await add(page, 'Written after the question');
      await press(page, 'Delete the copy and 1 unsent change');
      await seesNotice(page, 'The copy was kept');
      await press(page, 'Open the copy of');
      await shows(page, ['Written after the question', 'Written offline']);
    });
    await page.type('.sign-in input[type=password]', account.password);
    await press(page, 'Sign in');
    await sees(page, CURRENT);
    await hostHas(account, ['Written after the question', 'Written offline']);
  });

  test('two tabs send each change once, also when a response is lost', async () => {
    const { account, visitor } = await join();
    const { url } = await serve();
    const { page: first } = await visit(url);
    await signIn(first, { ...visitor, stay: true });
    await sees(first, CURRENT);
    const { page: second } = await visit(url);
    await sees(second, CURRENT);
    await pds.restart(async () => {
      await add(first, 'From the first tab');
      await add(second, 'From the second tab');
      await edit(second, 'From the first tab', 'From both tabs');
      await shows(first, ['From the second tab', 'From both tabs']);
      await sees(first, '2 changes will be sent later.');
    });
    const before = writes();
    // Without any byte of a response, Chromium would send the request again by itself.
    pds.faults.next({ match: /putRecord/, method: 'POST', cutAfter: 5 });
    await Promise.all([first, second].map((page) => page.evaluate(() => dispatchEvent(new Event('online')))));
    await Promise.all([first, second].map((page) => sees(page, CURRENT)));
    expect(writes() - before).toBe(2);
    await hostHas(account, ['From the second tab', 'From both tabs']);
    // This time, Chromium sends the request again by itself.
    pds.faults.next({ match: /putRecord/, method: 'POST', loseResponse: true });
    await edit(first, 'From both tabs', 'Sent twice');
    await Promise.all([first, second].map((page) => sees(page, CURRENT)));
    await hostHas(account, ['From the second tab', 'Sent twice']);
    // A record that another device writes arrives in both tabs.
    const record = { $type: 'com.example.note', text: 'From elsewhere', createdAt: new Date().toISOString() };
    const input = { repo: account.did, collection: 'com.example.note', rkey: '3zzzzzzzzzzzz', record };
    await account.agent.com.atproto.repo['putRecord']!(input);
    const all = ['From elsewhere', 'From the second tab', 'Sent twice'];
    await Promise.all([first, second].map((page) => shows(page, all)));
  });

  test('another tab continues when the tab that has the files closes', async () => {
    const { account, visitor } = await join();
    const { url } = await serve();
    const { page: first } = await visit(url);
    await signIn(first, { ...visitor, stay: true });
    const { page: second } = await visit(url);
    await sees(second, CURRENT);
    await pds.restart(async () => {
      await add(first, 'From the closed tab');
      await shows(second, ['From the closed tab']);
      await Promise.all([first.close(), add(second, 'While it closed')]);
      await add(second, 'After it closed');
    });
    await press(second, 'Sync now');
    const notes = ['After it closed', 'While it closed', 'From the closed tab'];
    await hostHas(account, notes);
    // The other tab follows the server now.
    const record = { $type: 'com.example.note', text: 'From elsewhere', createdAt: new Date().toISOString() };
    const input = { repo: account.did, collection: 'com.example.note', rkey: '3zzzzzzzzzzzz', record };
    await account.agent.com.atproto.repo['putRecord']!(input);
    await shows(second, ['From elsewhere', ...notes]);
  });

  test('the notes of this browser can be added to the account', async () => {
    const { account, visitor } = await join();
    const { url } = await serve();
    const { page } = await visit(url);
    await add(page, 'Before the account');
    await signIn(page, visitor);
    await press(page, 'Add 1 note of this browser');
    await shows(page, ['Before the account']);
    await sees(page, CURRENT);
    await hostHas(account, ['Before the account']);
    await press(page, 'Sign out');
    await press(page, 'Delete the copy');
    await shows(page, ['Before the account']);
  });

  test.skipIf(isAxeMissing)('axe-core finds no violation', async () => {
    const { account, visitor } = await join();
    const { url } = await serve();
    const { page } = await visit(url);
    const check = async (view: string): Promise<void> => {
      for (const width of [1280, 400]) {
        await page.setViewport({ width, height: 800 });
        expect(await violationsOf(page), `${view}, ${width}`).toEqual([]);
      }
    };
    await page.waitForSelector('.sign-in');
    await page.$$eval('.account details', (all) => all.forEach((one) => (one.open = true)));
    await check('the form');
    await signIn(page, visitor);
    await add(page, 'A note');
    await sees(page, CURRENT);
    await press(page, 'Sign out');
    await check('the question');
    await press(page, 'Cancel');
    const { rkey } = (await page
      .waitForFunction(() => document.querySelector<HTMLElement>('.note-item')?.dataset['rkey'], POLLING)
      .then((found) => found.jsonValue().then((text) => ({ rkey: text })))) as { rkey: string };
    await pds.restart(async () => {
      await edit(page, 'A note', 'A note, changed here');
      await sees(page, '1 change will be sent later.');
      await check('a note that is not sent');
    });
    const record = { $type: 'com.example.note', text: 'A note, changed there', createdAt: new Date().toISOString() };
    const input = { repo: account.did, collection: 'com.example.note', rkey, record };
    await account.agent.com.atproto.repo['putRecord']!(input);
    await press(page, 'Sync now');
    await sees(page, '1 note changed here and at the server');
    await check('a conflict');
  });
});
