/** Hidden pages with a worker of the caller, which may be shown again. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchPage } from '../../../src/adapters/tabs/page-lifecycle.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { DID, KEY, POST, post } from '../../../src/testing/repo/harness.ts';
import { PlayedBrowser } from '../rpc/tabs.ts';
import type { PlayedTab, TabOpenOptions } from '../rpc/tabs.ts';

interface PlayedPage {
  readonly repo: Repo;
  hide(): void;
  show(): void;
}

/** Opens the repository in a page that can be left. */
const openInPage = async (tab: PlayedTab, options: TabOpenOptions): Promise<PlayedPage> => {
  const window = new EventTarget();
  vi.stubGlobal('window', window);
  vi.stubGlobal('document', new EventTarget());
  const repo = await tab.open('repo', options);
  vi.unstubAllGlobals();
  return {
    repo,
    hide: () => window.dispatchEvent(new Event('pagehide')),
    show: () => window.dispatchEvent(new Event('pageshow')),
  };
};

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );

let tabs: PlayedTab[];
let leading: PlayedPage;
let following: PlayedPage;

beforeEach(async () => {
  const browser = new PlayedBrowser();
  tabs = [browser.tab(), browser.tab()];
  leading = await openInPage(tabs[0]!, { did: DID, signer: KEY });
  following = await openInPage(tabs[1]!, { signer: KEY });
});

afterEach(() => {
  tabs.forEach((tab) => tab.crash());
});

test('a follower that is left in the middle of something keeps nobody waiting', async () => {
  const stuck = codeOf(following.repo.importCar(new ReadableStream<Uint8Array>({})));
  await following.repo.head();
  following.hide();
  await leading.repo.put(POST, 'a', post('a'));
  following.show();
  // The stream has been read from, and cannot be read again.
  expect(await stuck).toBe('OutcomeUnknown');
  expect((await following.repo.get(POST, 'a'))?.value['text']).toBe('a');
});

test('a follower that is shown again at once gets a reply', async () => {
  let sign = (): void => {};
  const asked = new Promise<void>((resolve) => (sign = resolve));
  const slow = { sign: async (bytes: Uint8Array<ArrayBuffer>) => (await asked, KEY.sign(bytes)) };
  const written = following.repo.put(POST, 'a', post('a'), { signer: slow });
  await following.repo.head();
  following.hide();
  following.show();
  expect(await following.repo.get(POST, 'a')).toBeUndefined();
  sign();
  await written;
  expect((await listOf(leading.repo.log())).length).toBe(1);
});

test('a follower that closes while it is left has closed', async () => {
  const stuck = following.repo.put(POST, 'a', post('a'), { signer: { sign: () => new Promise(() => {}) } });
  const outcome = codeOf(stuck);
  await following.repo.head();
  const closed = following.repo.close();
  following.hide();
  await closed;
  expect(await outcome).toBe('OutcomeUnknown');
  await leading.repo.put(POST, 'b', post('b'));
});

test('a hidden leader passes leadership on, and follows when it is shown again', async () => {
  await leading.repo.put(POST, 'a', post('a'));
  leading.hide();
  await following.repo.put(POST, 'b', post('b'));
  leading.show();
  await leading.repo.put(POST, 'c', post('c'));
  expect((await listOf(following.repo.list(POST))).map(({ rkey }) => rkey)).toEqual(['a', 'b', 'c']);
});

test('a freezing page waits once for its workers to close all open repositories', () => {
  const document = new EventTarget();
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('document', document);
  let told = 0;
  const ends = [1, 2, 3].map(() => watchPage({ onHide: () => void (told += 1), onShow: () => {}, needsTime: true }));
  vi.unstubAllGlobals();
  const freeze = new Event('freeze');
  // A whole number: sums of fractions of a millisecond are not exact.
  Object.defineProperty(freeze, 'timeStamp', { value: 1000 });
  // A clock that advances by 10 ms at each reading, so that the load of the machine does not matter.
  let now = freeze.timeStamp;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 10));
  document.dispatchEvent(freeze);
  clock.mockRestore();
  // Each of the three looks once more at the end.
  expect([told, now - freeze.timeStamp]).toEqual([3, 300 + 2 * 10]);
  ends.forEach((end) => end());
});
