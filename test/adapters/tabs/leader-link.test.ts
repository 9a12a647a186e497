/** The way of a page to the leader, over channels that belong to this test. */
import { afterEach, expect, test } from 'vitest';
import { RemoteRepo } from '../../../src/adapters/rpc/client.ts';
import type { Send } from '../../../src/adapters/rpc/peer.ts';
import type { Message } from '../../../src/adapters/rpc/protocol.ts';
import type { Channel, ChannelMessage } from '../../../src/adapters/tabs/channel.ts';
import { memberLock, portChannel } from '../../../src/adapters/tabs/channel.ts';
import { Leader } from '../../../src/adapters/tabs/leader.ts';
import { LeaderLink } from '../../../src/adapters/tabs/leader-link.ts';
import type { RepoPlace } from '../../../src/adapters/tabs/repo-place.ts';
import { createLocalLocks } from '../../../src/adapters/origin/locks.ts';
import { storedRepoOver } from '../../../src/core/repo/local-repo.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { DID, POST, post } from '../../../src/testing/repo/harness.ts';
import type { PlayedTab } from '../rpc/tabs.ts';
import { PlayedBrowser } from '../rpc/tabs.ts';

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

test('a late message of the leader of another tab does not replace the own worker', () => {
  const sent: string[] = [];
  const attached: boolean[] = [];
  const channels: Channel[] = [];
  const openChannel = (): Channel => {
    channels.push(portChannel(({ kind }) => sent.push(kind)));
    return channels.at(-1)!;
  };
  const own = openChannel();
  const link = new LeaderLink({
    name: 'repo',
    storage: 'opfs',
    connection: { member: 'page', own },
    openChannel,
    peer: new RemoteRepo(() => {}, { hangUp: async () => {} }).peer,
    onLeader: (_, isOwn) => attached.push(isOwn),
  });
  ends.push(() => link.end());
  const [, all, mailbox] = channels;
  const hear = (channel: Channel | undefined, data: ChannelMessage): void => channel!.onmessage!({ data });
  hear(own, { kind: 'here', from: 'page.1' });
  hear(all, { kind: 'here', from: 'other.1' });
  hear(mailbox, { kind: 'welcome', from: 'other.1' });
  expect(attached).toEqual([]);
  hear(own, { kind: 'welcome', from: 'page.1' });
  hear(all, { kind: 'here', from: 'other.2' });
  // The own worker opens the files again.
  hear(own, { kind: 'here', from: 'page.2' });
  expect(attached).toEqual([true]);
  hear(own, { kind: 'welcome', from: 'page.2' });
  expect(attached).toEqual([true, true]);
  expect(sent).toEqual(['join', 'join', 'join']);
});

test('a page sends nothing to a term of its own worker that is over', () => {
  const sent: string[] = [];
  const own = portChannel(({ kind }) => sent.push(kind));
  const sends: Send[] = [];
  const link = new LeaderLink({
    name: 'repo',
    storage: 'opfs',
    connection: { member: 'page', own },
    openChannel: () => portChannel(() => {}),
    peer: new RemoteRepo(() => {}, { hangUp: async () => {} }).peer,
    onLeader: (send) => sends.push(send),
  });
  ends.push(() => link.end());
  const call: Message = { kind: 'call', id: 0, method: 'head', params: [] };
  for (const from of ['page.1', 'page.2']) {
    own.onmessage!({ data: { kind: 'here', from } });
    sends.forEach((send) => send(call));
    own.onmessage!({ data: { kind: 'welcome', from } });
  }
  sends.forEach((send) => send(call));
  expect(sent).toEqual(['join', 'join', 'message']);
});

test('a page that asks twice is welcome once, so that its calls run once', async () => {
  const said: ChannelMessage[] = [];
  const page = portChannel((message) => said.push(message));
  const repo = storedRepoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  const place: RepoPlace = {
    name: 'repo',
    storage: 'opfs',
    open: async () => repo,
    prepare: async () => {},
    hurry: () => {},
  };
  const left = new AbortController();
  const locks = createLocalLocks();
  void locks.request(memberLock('page'), {}, () => new Promise(() => {}));
  const leader = new Leader({
    member: 'page',
    place,
    repo,
    locks,
    openChannel: () => portChannel(() => {}),
    channel: portChannel(() => {}),
    page,
    signal: left.signal,
  });
  const hear = (data: ChannelMessage): void => page.onmessage!({ data });
  hear({ kind: 'join', from: 'page' });
  hear({ kind: 'message', from: 'page', message: { kind: 'call', id: 0, method: 'head', params: [] } });
  hear({ kind: 'join', from: 'page' });
  await repo.head();
  await leader.greet('page');
  expect(said.map((message) => (message.kind === 'message' ? message.message.kind : message.kind))).toEqual([
    'here',
    'welcome',
    'reply',
  ]);
  left.abort();
  expect(await leader.over).toBe('left');
  await leader.close();
});

test('no page hears the calls of other pages', async () => {
  const browser = new PlayedBrowser();
  const [first, second, third] = [browser.tab(), browser.tab(), browser.tab()] as [PlayedTab, PlayedTab, PlayedTab];
  ends.push(...[first, second, third].map((tab) => () => tab.crash()));
  await first.open('repo', { did: DID });
  const repos: Repo[] = [await second.open('repo'), await third.open('repo')];
  const heard: string[] = [];
  third.incoming = ({ kind }) => heard.push(kind) > 0;
  first.incoming = ({ kind }) => heard.push(`first ${kind}`) > 0;
  await repos[0]!.put(POST, 'a', post('a'));
  expect(heard).toEqual(['first message']);
});
