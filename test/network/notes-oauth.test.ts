/** Signing in to the notes by OAuth, in the pages of a real PDS. */
import type { Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { isMissing } from '../browser/browsers.ts';
import { press, sees, useExample, useVisitor } from '../browser/example-site.ts';
import { add, fillIn, shows } from '../browser/notes-page.ts';
import { useNetwork } from './network.ts';
import type { HostedAccount } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { hostHas } from './notes-at-host.ts';

/** The names of the values that the page has in `localStorage` and that have tokens. */
const tokensOf = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    Object.entries({ ...localStorage })
      .filter(([, value]) => /"(access|refresh)"|Jwt/.test(value))
      .map(([name]) => name),
  );

describe.skipIf(lacksPds || isMissing('chromium'))(`signing in at the server${why}`, { timeout: 90_000 }, () => {
  const network = useNetwork();
  const serve = useExample('local-first');
  const visit = useVisitor('chromium');

  /** Goes from the notes to the server, signs in there, and decides. Servers know clients at 127.0.0.1. */
  const signInAtServer = async (
    choice: 'Authorize' | 'Deny access',
    more: { readonly stay?: boolean } = {},
  ): Promise<{ readonly page: Page; readonly account: HostedAccount }> => {
    const pds = network.pds[0]!;
    const account = await pds.createAccount();
    const { url } = await serve();
    const { page } = await visit(url.replace('localhost', '127.0.0.1'));
    await fillIn(page, { did: account.did, password: '', pdsUrl: pds.url, plcUrl: network.plcUrl, ...more });
    await press(page, 'Sign in at the server');
    const field = await page.waitForSelector('input[type=password][name=password]', { visible: true });
    expect(new URL(page.url())).toMatchObject({ origin: pds.url, pathname: '/oauth/authorize' });
    await field!.type(account.password);
    await press(page, 'Sign in');
    await press(page, choice);
    return { page, account };
  };

  test('sends notes by a session that ends with the page', async () => {
    const { page, account } = await signInAtServer('Authorize');
    await sees(page, 'Everything is at the server.');
    await add(page, 'Signed in at the server');
    await hostHas(account, ['Signed in at the server']);
    expect(await tokensOf(page)).toEqual([]);
    expect(new URL(page.url()).hash).toBe('');
    await page.reload();
    await shows(page, ['Signed in at the server']);
    await sees(page, `Sign in as ${account.handle} to send them.`);
  });

  test('sends notes after a reload if the user stays signed in, until the sign-out', async () => {
    const { page, account } = await signInAtServer('Authorize', { stay: true });
    await sees(page, 'Everything is at the server.');
    expect(await tokensOf(page)).toEqual(['notes.oauth:sessions']);
    await page.reload();
    await add(page, 'After a reload');
    await hostHas(account, ['After a reload']);
    await press(page, 'Sign out');
    await press(page, 'Keep the copy');
    await sees(page, 'On several devices');
    expect(await tokensOf(page)).toEqual([]);
  });

  test('shows the notes of this browser if the user denies the access', async () => {
    const { page } = await signInAtServer('Deny access');
    await sees(page, 'The server has not signed you in.');
    await sees(page, 'On several devices');
    expect(await tokensOf(page)).toEqual([]);
    await add(page, 'Without an account');
  });
});
