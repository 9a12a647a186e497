/**
 * Random writes to a real PDS, followed by three copies: one that pulls, one that pulls and collects garbage, and one
 * that applies events. `PDSDB_SEEDS` is the number of accounts, with `PDSDB_MOVES` writes each.
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Repo } from '../../src/index.ts';
import { openOrCreateRepo } from '../../src/node.ts';
import { follow, pull } from '../../src/sync.ts';
import type { WebSocketClass } from '../../src/sync.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { expectTruth } from './truth.ts';

const SEEDS = Number(process.env['PDSDB_SEEDS'] ?? 1);
const MOVES = Number(process.env['PDSDB_MOVES'] ?? 200);
const BETWEEN_PULLS = 10;

describe.skipIf(lacksPds)(`copies of random writes on a PDS${why}`, () => {
  const network = useNetwork({ proxy: true });
  let pds: Pds;
  const folder = scratchFolder('seeds');
  let WebSocket: WebSocketClass;
  const options = (): object => ({ plcUrl: network.plcUrl, pdsUrl: pds.url, allowPrivate: true, WebSocket });

  beforeAll(async () => {
    ({ WebSocket } = (await import('ws' as string)) as { WebSocket: WebSocketClass });
    pds = network.pds[0]!;
  });

  const seeds = Array.from({ length: SEEDS }, (_, i) => i + 1);
  test.each(seeds)(
    'seed %s: pulls, pulls with gc, and events have the truth',
    { timeout: 300_000 + MOVES * 1000 },
    async (seed) => {
      const account = await pds.createAccount({ name: `seed${seed}` });
      const driver = await createDriver(account, { seed });
      await driver.step('create');
      const open = (name: string): Promise<Repo> =>
        openOrCreateRepo(join(folder, `${name}${seed}`), { did: account.did });
      const [pulled, collected, followed] = await Promise.all([open('pulled'), open('collected'), open('followed')]);
      await pull(pulled!, options());
      await pull(collected!, options());
      const following = follow(followed!, options());
      const done = (async () => {
        for await (const update of following) {
          void update;
        }
      })();
      let longest = 0;
      const follows = async (): Promise<void> => {
        const start = Date.now();
        const deadline = start + 30_000;
        while ((await followed!.head())?.cid.toString() !== driver.head.cid && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        expect((await followed!.head())?.cid.toString()).toBe(driver.head.cid);
        longest = Math.max(longest, Date.now() - start);
      };
      await follows();
      let wholeCars = 0;
      for (let moves = 0; moves < MOVES; moves += BETWEEN_PULLS) {
        await driver.run(BETWEEN_PULLS);
        const from = pds.faults.log.length;
        for (const repo of [pulled!, collected!]) {
          expect(['current', 'updated']).toContain((await pull(repo, options())).status);
          await expectTruth(repo, driver);
        }
        wholeCars += pds.faults.log.slice(from).filter(({ url }) => /getRepo\?(?!.*since=)/.test(url)).length;
        await collected!.gc({ keep: 1 });
        await follows();
      }
      expect(wholeCars).toBe(0);
      await following.close();
      await done;
      console.log(`seed ${seed}, ${MOVES} writes: the copy that follows had the head within at most ${longest} ms`);
      await pull(followed!, options());
      const key = (await pds.signingKey(account.did)).did();
      for (const repo of [pulled!, collected!, followed!]) {
        await expectTruth(repo, driver);
        expect((await repo.verify({ key })).faults).toEqual([]);
        await repo.close();
      }
    },
  );
});
