/** `kill -9` of a process at each step of its push. `PDSDB_KILLS` sets the number of kills. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createRepo, openRepo } from '../../src/node.ts';
import type { Account } from '../../src/sync.ts';
import { bundleChild } from '../bundled-child.ts';
import { seeded } from '../random/seeded.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import type { HostedAccount } from './network.ts';
import { useNetwork } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import type { Device } from './outbox-device.ts';
import { accountOf, deviceOver, hostRecords, NOTE, note, operationsOf } from './outbox-device.ts';

const KILLS = Number(process.env['PDSDB_KILLS'] ?? 6);
/** Steps between two kills, so that a few kills reach all parts of a push. More kills reach every step. */
const STRIDE = 3;
const SEED = Number(process.env['PDSDB_SEED'] ?? 1);

const rkeyOf = (path: string): string => path.slice(NOTE.length + 1);

describe.skipIf(lacksPds)(`a process that is killed while it pushes${why}`, () => {
  const network = useNetwork();
  let hosted: HostedAccount;
  let account: Account;
  const folder = scratchFolder('outbox-kills');
  let victim: string;
  beforeAll(async () => {
    hosted = await network.pds[0]!.createAccount();
    account = await accountOf(network, hosted);
    victim = await bundleChild('test/network/outbox-victim.ts');
    await (await createRepo(join(folder, 'copy'), { did: hosted.did })).close();
  });

  /** Runs a push in a process that kills itself. Returns whether it was killed. */
  const killAt = async (lastStep: number): Promise<boolean> => {
    const plan = { folder: join(folder, 'copy'), account, token: hosted.agent.session!.accessJwt, lastStep };
    const child = spawn(process.execPath, [victim, JSON.stringify(plan)], { stdio: ['ignore', 'inherit', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect(errors).toBe('');
    expect(code ?? signal).toBe(signal === null ? 0 : 'SIGKILL');
    return signal === 'SIGKILL';
  };

  const withCopy = async <T>(run: (device: Device) => Promise<T>): Promise<T> => {
    const repo = await openRepo(join(folder, 'copy'), { waitMs: 10_000 });
    const device = deviceOver(repo, hosted, account);
    try {
      return await run(device);
    } finally {
      await device.outbox.close();
      await repo.close();
    }
  };

  const operations = (): Promise<string[]> => operationsOf(network.pds[0]!);

  test(`${KILLS} kills: every change lands exactly once; seed ${SEED}`, { timeout: 7_200_000 }, async () => {
    const random = seeded(SEED);
    const expected = new Map<string, string>();
    const sent: string[] = [];
    let [killed, unsure, step, rounds, most] = [0, 0, 0, 0, 0];
    for (; killed < KILLS; rounds++) {
      const where = `round ${rounds}, step ${step}`;
      // Each round creates a record with a blob, updates one, and deletes one.
      const paths = [...expected.keys()];
      const changed = paths[Math.floor(random() * paths.length)];
      const deleted = paths.find((path) => path !== changed && random() < 0.3);
      const changes = await withCopy(async ({ outbox, repo }) => {
        const file = await repo.putBlob(new TextEncoder().encode(`blob ${rounds}`), { mimeType: 'text/plain' });
        await outbox.put(NOTE, `k${rounds}`, note(`new ${rounds}`, { file }));
        if (changed !== undefined) {
          await outbox.put(NOTE, rkeyOf(changed), note(`changed ${rounds}`));
        }
        if (deleted !== undefined) {
          await outbox.delete(NOTE, rkeyOf(deleted));
        }
        return (await outbox.pending()).map(({ path, ours }) => [path, ours && String(ours)] as const);
      });
      for (const [path, ours] of changes) {
        sent.push(`${path} ${ours}`);
        expected.delete(path);
        if (ours !== undefined) {
          expected.set(path, ours);
        }
      }
      const isKilled = await killAt(step);
      killed += isKilled ? 1 : 0;
      most = Math.max(most, step);
      step = isKilled ? step + STRIDE : (step + 1) % STRIDE;
      await withCopy(async (device) => {
        unsure += (await device.outbox.pending()).filter(({ state }) => state === 'sending').length;
        const result = await device.push();
        expect(result, where).toMatchObject({ status: 'done', conflicts: [], rejected: [], pending: 0 });
        expect((await device.repo.verify()).faults, where).toEqual([]);
        expect((await device.repo.verify({ at: 'outbox' })).faults, where).toEqual([]);
      });
    }
    const onHost = await hostRecords(network.pds[0]!, hosted.did);
    expect(Object.fromEntries([...onHost].sort())).toEqual(Object.fromEntries([...expected].sort()));
    // Each operation is in the events of the host, once.
    expect((await operations()).sort()).toEqual(sent.sort());
    console.log(
      `${killed} kills at steps up to ${most} of ${rounds} pushes, ${unsure} requests with an unknown result, ` +
        `${sent.length} operations, each landed once; seed ${SEED}`,
    );
  });
});
