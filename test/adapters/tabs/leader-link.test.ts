/** The way of a page to the leader, over channels that belong to this test. */
import { afterEach, expect, test } from 'vitest';
import { RemoteRepo } from '../../../src/adapters/rpc/client.ts';
import type { Channel, ChannelMessage } from '../../../src/adapters/tabs/channel.ts';
import { openBroadcastChannel, portChannel } from '../../../src/adapters/tabs/channel.ts';
import { LeaderLink } from '../../../src/adapters/tabs/leader-link.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { DID, POST, post } from '../../../src/testing/repo/harness.ts';
import type { PlayedTab } from '../rpc/tabs.ts';
import { PlayedBrowser } from '../rpc/tabs.ts';

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

test('a late message of the leader of another tab does not replace the own worker', () => {
  const prefix = crypto.randomUUID();
  const sent: [to: string, kind: string][] = [];
  const attached: boolean[] = [];
  const link = new LeaderLink({
    name: 'repo',
    storage: 'opfs',
    connection: {
      member: 'page',
      openLeader: (leader) => portChannel((data: ChannelMessage) => sent.push([leader, data.kind])),
    },
    openChannel: (name): Channel => openBroadcastChannel(prefix + name),
    peer: new RemoteRepo(() => {}, { hangUp: async () => {} }).peer,
    onLeader: (_, isOwn) => attached.push(isOwn),
  });
  ends.push(() => link.end());
  link.hear({ kind: 'here', from: 'page.1' });
  link.hear({ kind: 'here', from: 'other.1' });
  link.hear({ kind: 'welcome', from: 'other.1' });
  expect(attached).toEqual([]);
  link.hear({ kind: 'welcome', from: 'page.1' });
  link.hear({ kind: 'here', from: 'other.2' });
  // The own worker opens the files again, and the page stays with the first term until it is welcome in the next.
  link.hear({ kind: 'here', from: 'page.2' });
  expect(attached).toEqual([true]);
  link.hear({ kind: 'welcome', from: 'page.2' });
  expect(attached).toEqual([true, true]);
  expect(sent).toEqual([
    ['page.1', 'join'],
    ['page.2', 'join'],
  ]);
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
