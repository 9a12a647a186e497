/** The notes with an account at a real PDS, in two real browsers: offline, online again, and in conflict. */
import type { Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { isMissing } from '../browser/browsers.ts';
import { press, sees, textsOf, useExample, useVisitor } from '../browser/example-site.ts';
import { add, edit, shows, signIn } from '../browser/notes-page.ts';
import { useNetwork } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { hostHas } from './notes-at-host.ts';

const lacksBrowser = isMissing('chromium') || isMissing('firefox');

describe.skipIf(lacksPds || lacksBrowser)(`the notes of an account on two devices${why}`, () => {
  const network = useNetwork();
  const serve = useExample('local-first');
  const visitInChromium = useVisitor('chromium');
  const visitInFirefox = useVisitor('firefox');

  test('converge after both wrote without a network', { timeout: 120_000 }, async () => {
    const [pds] = network.pds;
    const account = await pds!.createAccount();
    const { url } = await serve();
    const { page: first } = await visitInChromium(url);
    const { page: second } = await visitInFirefox(url);
    const both = (run: (page: Page) => Promise<void>): Promise<unknown> => Promise.all([run(first), run(second)]);
    const visitor = { did: account.did, password: account.password, pdsUrl: pds!.url, plcUrl: network.plcUrl };
    await both((page) => signIn(page, visitor));
    await add(first, 'Shared by both');
    await add(first, 'Deleted by one');
    await both((page) => shows(page, ['Deleted by one', 'Shared by both']));
    await hostHas(account, ['Deleted by one', 'Shared by both']);

    await pds!.restart(async () => {
      await add(first, 'Written in Chromium');
      await edit(first, 'Shared by both', 'Shared, as Chromium has it');
      await press(first, 'Delete: Deleted by one');
      await shows(first, ['Written in Chromium', 'Shared, as Chromium has it']);
      await add(second, 'Written in Firefox');
      await edit(second, 'Shared by both', 'Shared, as Firefox has it');
      await edit(second, 'Deleted by one', 'Deleted by one, edited by the other');
      await both((page) => sees(page, 'No connection to the server. 3 changes will be sent later.'));
    });

    await press(first, 'Sync now');
    await sees(first, 'Everything is at the server.');
    await press(second, 'Sync now');
    await sees(second, '2 notes changed here and at the server');
    await shows(first, ['Written in Firefox', 'Written in Chromium', 'Shared, as Chromium has it']);
    await shows(second, ['Written in Firefox', 'Written in Chromium']);
    expect(await textsOf(second, '.version')).toEqual([
      expect.stringContaining('Deleted by one, edited by the other'),
      expect.stringContaining('The note is deleted.'),
      expect.stringContaining('Shared, as Firefox has it'),
      expect.stringContaining('Shared, as Chromium has it'),
    ]);

    await press(second, 'Keep theirs: Shared');
    await press(second, 'Keep mine: Deleted');
    const all = [
      'Written in Firefox',
      'Written in Chromium',
      'Deleted by one, edited by the other',
      'Shared, as Chromium has it',
    ];
    await both((page) => shows(page, all));
    await both((page) => sees(page, 'Everything is at the server.'));
    await hostHas(account, all);
  });
});
