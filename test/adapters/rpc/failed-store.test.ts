/** A storage that fails under the leader: the leader opens it again, and no page has to reload. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RepoError } from '../../../src/core/errors.ts';
import type { RepoErrorCode } from '../../../src/core/errors.ts';
import type { HeadChange, Repo } from '../../../src/core/repo/repo.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { DID, POST, post } from '../../../src/testing/repo/harness.ts';
import { PlayedBrowser } from './tabs.ts';
import type { PlayedTab } from './tabs.ts';

let browser: PlayedBrowser;
let tabs: PlayedTab[];
let leading: Repo;
let following: Repo;

beforeEach(async () => {
  browser = new PlayedBrowser({ durableOn: 'persist' });
  tabs = [browser.tab(), browser.tab(), browser.tab()];
  leading = await tabs[0]!.open('repo', { did: DID });
  following = await tabs[1]!.open('repo');
});

afterEach(() => {
  tabs.forEach((tab) => tab.crash());
});

/** Has the next change fail. */
const failOnce = (code: RepoErrorCode): void => {
  browser.beforePersist = () => {
    browser.beforePersist = () => {};
    throw new RepoError(code, 'not now');
  };
};

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );

test.each([
  ['StorageFull', 'leads', () => leading],
  ['StorageFull', 'follows', () => following],
  ['StorageFailed', 'leads', () => leading],
  ['StorageFailed', 'follows', () => following],
] as const)('%s is the error of a caller that %s, and the others continue', async (code, _, repo) => {
  const heard: HeadChange[] = [];
  following.onChange((change) => heard.push(change));
  await following.head();
  const { commit } = await leading.put(POST, 'a', post('a'));
  failOnce(code);
  expect(await codeOf(repo().put(POST, 'b', post('b')))).toBe(code);
  // One that asks before the storage is opened again is told, and one that asks later gets a reply.
  await expect.poll(() => codeOf(leading.head())).toBe('none');
  await expect.poll(() => codeOf(following.head())).toBe('none');
  const again = await following.put(POST, 'c', post('c'));
  expect((await listOf(leading.list(POST))).map(({ rkey }) => rkey)).toEqual(['a', 'c']);
  await following.head();
  expect(heard.map(({ rev }) => rev)).toEqual([commit.rev, again.commit.rev]);
});

test('a tab that comes later, and one that closes and opens again, are let in', async () => {
  failOnce('StorageFull');
  expect(await codeOf(following.put(POST, 'b', post('b')))).toBe('StorageFull');
  const [later] = await Promise.all([tabs[2]!.open('repo'), following.close()]);
  const again = await tabs[1]!.open('repo');
  await later.put(POST, 'c', post('c'));
  expect((await again.info()).records).toBe(1);
});

test('a storage that fails for a while is tried again', async () => {
  let failures = 3;
  browser.beforeOpen = () => {
    failures -= 1;
    if (failures > 0) {
      throw new RepoError('StorageFailed', 'not yet');
    }
  };
  failOnce('StorageFailed');
  expect(await codeOf(leading.put(POST, 'b', post('b')))).toBe('StorageFailed');
  await expect.poll(() => codeOf(following.put(POST, 'c', post('c'))), { timeout: 10_000 }).toBe('none');
});

test('a permanent failure ends the leader with its error, and then the other tabs', async () => {
  browser.beforeOpen = () => {
    throw new RepoError('RepoNotFound', 'somebody has deleted it');
  };
  failOnce('StorageFailed');
  expect(await codeOf(leading.put(POST, 'b', post('b')))).toBe('StorageFailed');
  await expect
    .poll(() => leading.head().catch((error: Error) => [error, error.cause]))
    .toMatchObject([{ code: 'Closed' }, { code: 'RepoNotFound' }]);
  await expect.poll(() => codeOf(following.head())).toBe('Closed');
});

test('a connection for blobs that is lost is opened again', async () => {
  const { ref } = await leading.putBlob(new TextEncoder().encode('blob'));
  await leading.close();
  browser.beforeBlob = () => {
    throw new RepoError('StorageFailed', 'the browser has closed the database');
  };
  const again = await tabs[2]!.open('repo');
  await following.close();
  browser.beforeBlob = () => {};
  expect(await codeOf(again.getBlob(ref))).toBe('StorageFailed');
  await expect.poll(() => codeOf(again.getBlob(ref))).toBe('none');
});

test('a storage that is full for a blob alone has not failed', async () => {
  let opened = 0;
  browser.beforeOpen = () => void (opened += 1);
  const full = new RepoError('StorageFull', 'no room for blobs');
  const source = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(full) });
  expect(await following.putBlob(source).catch((error: unknown) => error)).toBe(full);
  await following.put(POST, 'c', post('c'));
  expect(opened).toBe(0);
});
