/** A host ends the connection of a consumer that reads too slowly. `follow` connects again, and misses nothing. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openOrCreateRepo } from '../../src/node.ts';
import { follow } from '../../src/sync.ts';
import type { FollowUpdate, WebSocketClass } from '../../src/sync.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { useNetwork } from './network.ts';
import { lacksPds, why } from './network-test.ts';

/** Events that the host keeps for a consumer. Its default is 500. */
const BUFFERED = 4;
/** Records of 90 kB. They have to fill the buffers of both sockets, which are a few megabytes, and then the host's. */
const RECORDS = 150;

describe.skipIf(lacksPds)(`a consumer that reads too slowly${why}`, () => {
  const network = useNetwork({ proxy: true, env: { maxSubscriptionBuffer: BUFFERED } });
  const folder = scratchFolder('follow-slow');
  let WebSocket: WebSocketClass;
  beforeAll(async () => {
    ({ WebSocket } = (await import('ws' as string)) as { WebSocket: WebSocketClass });
  });

  test('has all events after ConsumerTooSlow', async () => {
    const pds = network.pds[0]!;
    const { did, agent } = await pds.createAccount({ name: 'alice' });
    const create = (text: string) =>
      agent.com.atproto.repo['createRecord']!({
        repo: did,
        collection: 'com.example.large',
        record: { $type: 'com.example.large', text },
        validate: false,
      });
    await create('first');
    await using repo = await openOrCreateRepo(join(folder, 'copy'), { did });
    pds.faults.next({ match: /subscribeRepos/, holdFrames: true });
    const updates: FollowUpdate[] = [];
    const following = follow(repo, { plcUrl: network.plcUrl, allowPrivate: true, WebSocket });
    const done = (async () => {
      for await (const update of following) {
        updates.push(update);
      }
    })();
    const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
      while (!(await holds())) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await until(() => following.state === 'live');
    let last: { readonly cid: string } | undefined;
    for (let i = 0; i < RECORDS; i++) {
      ({ commit: last } = (await create(`${i} ${'x'.repeat(90_000)}`)).data as { commit: { readonly cid: string } });
    }
    pds.faults.release();
    await until(async () => (await repo.head())?.cid.toString() === last!.cid);
    await following.close();
    await done;
    const reasons = updates.flatMap((update) => (update.type === 'state' ? [update.reason ?? ''] : []));
    expect(reasons.some((reason) => reason.includes('ConsumerTooSlow'))).toBe(true);
    expect(await repo.collections()).toEqual([{ collection: 'com.example.large', count: RECORDS + 1 }]);
    expect((await repo.verify()).faults).toEqual([]);
  });
});
