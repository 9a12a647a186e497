/** Leaders that die one after the other, or just when somebody wants something else. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChannelMessage } from '../../../src/adapters/tabs/channel.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { DID, KEY, POST, creates, post } from '../../../src/testing/repo/harness.ts';
import { readAll } from '../../../src/core/data/streams.ts';
import { PlayedBrowser } from '../rpc/tabs.ts';
import type { PlayedTab } from '../rpc/tabs.ts';

let browser: PlayedBrowser;
let tabs: PlayedTab[];
let leading: Repo;
let following: Repo;

beforeEach(async () => {
  browser = new PlayedBrowser();
  tabs = [browser.tab(), browser.tab(), browser.tab()];
  leading = await tabs[0]!.open('repo', { did: DID });
  following = await tabs[1]!.open('repo');
});

afterEach(() => {
  tabs.forEach((tab) => tab.crash());
});

/** Has a tab die instead of saying what `which` finds. */
const crashInsteadOf = (
  tab: PlayedTab,
  which: (message: ChannelMessage) => boolean,
  then: () => void = () => {},
): void => {
  tab.outgoing = (message) => {
    if (!which(message)) {
      return true;
    }
    tab.crash();
    then();
    return false;
  };
};

const says = (kind: string) => (message: ChannelMessage) => message.kind === 'message' && message.message.kind === kind;
/** A call of the page's function for progress, or of its stream. */
const callsBack = (message: ChannelMessage): boolean =>
  message.kind === 'message' && message.message.kind === 'call' && message.message.method.startsWith('/');
const tellsChange = (message: ChannelMessage): boolean =>
  message.kind === 'message' && message.message.kind === 'call' && message.message.method === 'change';
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );

describe('an import that is stopped while the leader changes', () => {
  let car: Uint8Array<ArrayBuffer>;
  beforeEach(async () => {
    const source = await new PlayedBrowser().tab().open('source', { did: DID, signer: KEY });
    await source.write(creates(300));
    car = (await readAll(source.exportCar())) as Uint8Array<ArrayBuffer>;
  });

  test('stops', async () => {
    const stop = new AbortController();
    const reason = new Error('the user has stopped it');
    crashInsteadOf(tabs[0]!, callsBack, () => stop.abort(reason));
    await expect(following.importCar(new Blob([car]), { signal: stop.signal, onProgress: () => {} })).rejects.toBe(
      reason,
    );
    expect((await following.info()).records).toBe(0);
  });

  test('resolves if the work was done', async () => {
    const stop = new AbortController();
    crashInsteadOf(tabs[0]!, says('reply'), () => stop.abort(new Error('too late')));
    expect((await following.importCar(new Blob([car]), { signal: stop.signal })).created).toBe(300);
  });
});

describe('a page that closes before anybody has taken over', () => {
  test('waits for the next leader, and then for its calls', async () => {
    await following.head();
    crashInsteadOf(tabs[0]!, says('reply'));
    const written = codeOf(following.put(POST, 'a', post('a')));
    const read = codeOf(following.get(POST, 'a'));
    await following.close();
    expect([await written, await read]).toEqual(['none', 'none']);
    expect((await (await tabs[2]!.open('repo')).info()).records).toBe(1);
  });
});

describe('changes that were missed', () => {
  test('are told by the leader after the next one, if that dies while it tells them', async () => {
    const third = await tabs[2]!.open('repo');
    const heard: string[] = [];
    third.onChange(({ created }) => heard.push(created.join()));
    await third.head();
    await leading.put(POST, 'a', post('a'));
    await third.head();
    tabs[0]!.outgoing = (message) => message.kind !== 'message';
    await leading.put(POST, 'b', post('b'));
    await leading.put(POST, 'c', post('c'));
    let told = 0;
    crashInsteadOf(tabs[1]!, (message) => tellsChange(message) && told++ === 1);
    tabs[0]!.crash();
    await third.put(POST, 'd', post('d'));
    await expect.poll(() => heard).toEqual(['a', 'b', 'c', 'd'].map((rkey) => `${POST}/${rkey}`));
  });

  test('are told from where the listener began, if it has heard of none', async () => {
    await leading.put(POST, 'before', post('before'));
    const third = await tabs[2]!.open('repo');
    const heard: string[] = [];
    third.onChange(({ created }) => heard.push(created.join()));
    await third.head();
    tabs[0]!.outgoing = (message) => message.kind !== 'message';
    await leading.put(POST, 'a', post('a'));
    crashInsteadOf(tabs[1]!, tellsChange);
    tabs[0]!.crash();
    await third.put(POST, 'b', post('b'));
    await expect.poll(() => heard).toEqual([`${POST}/a`, `${POST}/b`]);
  });
});
