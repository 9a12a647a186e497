/** A watch in one tab shows what other tabs write, also after the tab that has the files has gone. */
import { expect, test } from 'vitest';
import { DID, POST, post } from '../../../src/testing/repo/harness.ts';
import { PlayedBrowser } from './tabs.ts';

test('what another tab writes is on the next page, over a failover too', async () => {
  const browser = new PlayedBrowser();
  const leading = browser.tab();
  const [first, second, third] = [
    await leading.open('repo', { did: DID }),
    await browser.tab().open('repo'),
    await browser.tab().open('repo'),
  ];
  const watches = [first, second].map((repo) => repo.watch(POST, { reverse: true, limit: 1 }));
  const texts = async (): Promise<unknown[]> =>
    Promise.all(watches.map(async (pages) => (await pages.next()).value?.records[0]?.value['text']));
  expect(await texts()).toEqual([undefined, undefined]);
  const next = texts();
  await third.create(POST, post('one'));
  expect(await next).toEqual(['one', 'one']);

  // The tab that has the files goes, and its watch with it.
  const [ended, going] = watches.map((pages) => pages.next());
  await first.close();
  expect(await ended).toEqual({ done: true, value: undefined });
  await third.create(POST, post('two'));
  expect((await going)!.value?.records[0]?.value['text']).toBe('two');
  await second.close();
  await third.close();
});
