/** Many offline writes, while another device writes to the same account, and faults hit any call. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Account, PushResult, Session } from '../../src/sync.ts';
import { seeded } from '../random/seeded.ts';
import type { Fault, HostedAccount, Pds } from './network.ts';
import { useNetwork } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import type { Device } from './outbox-device.ts';
import { accountOf, hostRecords, memoryDevice, NOTE, note, operationsOf, pathOf } from './outbox-device.ts';

const SEED = Number(process.env['PDSDB_SEED'] ?? 1);
const WRITES = 200;
const KEYS = 120;

const FAULTS: readonly Fault[] = [
  { loseResponse: true },
  { status: 429, headers: { 'ratelimit-reset': '1000000001' } },
  { status: 503 },
  { refuse: true },
  { status: 500, body: { error: 'InternalServerError', message: 'Internal Server Error' } },
];
const CALLS = /putRecord|deleteRecord|applyWrites|uploadBlob|getLatestCommit|getRepo|createSession/;

describe.skipIf(lacksPds)(`offline writes and a concurrent writer${why}`, () => {
  const network = useNetwork({ proxy: true });
  let pds: Pds;
  beforeAll(async () => {
    pds = network.pds[0]!;
  });
  afterAll(() => network?.stop());

  /** Another device: it writes to the host directly, and knows each operation. */
  const otherDevice = (hosted: HostedAccount, random: () => number) => {
    const operations: string[] = [];
    const repo = hosted.agent.com.atproto.repo;
    const known = new Set<string>();
    const target = (rkey: string) => ({ repo: hosted.did, collection: NOTE, rkey });
    return {
      operations,
      known,
      async write(): Promise<void> {
        const rkey = `k${Math.floor(random() * KEYS)}`;
        if (known.has(rkey) && random() < 0.3) {
          const { data } = await repo['deleteRecord']!(target(rkey));
          known.delete(rkey);
          operations.push(...(data.commit === undefined ? [] : [`${pathOf(rkey)} undefined`]));
        } else {
          const { data } = await repo['putRecord']!({ ...target(rkey), record: note(`other ${random()}`) });
          known.add(rkey);
          operations.push(`${pathOf(rkey)} ${data.cid}`);
        }
      },
    };
  };

  /** Makes offline writes, and returns the last value of each path. */
  const writeOffline = async ({ outbox, repo }: Device, random: () => number): Promise<Map<string, string>> => {
    for (let i = 0; i < WRITES; i++) {
      const rkey = `k${Math.floor(random() * KEYS)}`;
      if (random() < 0.25) {
        await outbox.delete(NOTE, rkey);
      } else {
        const bytes = new TextEncoder().encode(`blob ${i % 7}`);
        const file = random() < 0.1 ? await repo.putBlob(bytes, { mimeType: 'text/plain' }) : undefined;
        await outbox.put(NOTE, rkey, note(`mine ${i}`, file === undefined ? {} : { file }));
      }
    }
    const pending = await outbox.pending();
    return new Map(pending.map(({ path, ours }) => [path, String(ours)]));
  };

  /** Each pending change is an operation of the host, once, or a conflict with both values. */
  const expectOnce = async (
    device: Device,
    { did }: HostedAccount,
    mine: ReadonlyMap<string, string>,
    others: readonly string[],
    before: readonly string[],
  ): Promise<{ landed: number; conflicts: number }> => {
    const all = await operationsOf(pds);
    const counts = new Map<string, number>();
    for (const operation of all) {
      counts.set(operation, (counts.get(operation) ?? 0) + 1);
    }
    for (const operation of [...before, ...others]) {
      counts.set(operation, counts.get(operation)! - 1);
    }
    const onHost = await hostRecords(pds, did);
    const conflicts = new Map((await device.outbox.pending()).map((entry) => [entry.path, entry]));
    let landed = 0;
    for (const [path, ours] of mine) {
      const conflict = conflicts.get(path);
      const times = counts.get(`${path} ${ours}`) ?? 0;
      counts.delete(`${path} ${ours}`);
      if (conflict === undefined) {
        // A deletion of what the other device has deleted, too, needs no operation.
        expect(times === 1 || (ours === 'undefined' && times === 0), `${path} ${ours}: ${times}`).toBe(true);
        landed += 1;
        continue;
      }
      // Its response may have been lost, and the other device may have changed the record since.
      expect(times, path).toBeLessThanOrEqual(1);
      expect(conflict.state).toBe('conflict');
      expect(String(conflict.ours)).toBe(ours);
      expect(String(conflict.theirs)).toBe(String(onHost.get(path)));
      const [, rkey] = path.split('/');
      if (conflict.ours !== undefined) {
        expect(String((await device.outbox.get(NOTE, rkey!))!.cid)).toBe(ours);
      }
    }
    // Nothing else reached the host.
    expect([...counts].filter(([, times]) => times !== 0)).toEqual([]);
    expect((await device.repo.verify()).faults).toEqual([]);
    expect((await device.repo.verify({ at: 'outbox' })).faults).toEqual([]);
    return { landed, conflicts: conflicts.size };
  };

  const begin = async (random: () => number) => {
    const hosted = await pds.createAccount();
    const account: Account = await accountOf(network, hosted);
    const other = otherDevice(hosted, random);
    const before = await operationsOf(pds);
    for (let i = 0; i < 40; i++) {
      await other.write();
    }
    const device = memoryDevice(hosted, account);
    await device.pull();
    const mine = await writeOffline(device, random);
    for (let i = 0; i < 20; i++) {
      await other.write();
    }
    return { hosted, other, before, device, mine };
  };

  test(`${WRITES} offline writes; seed ${SEED}`, async () => {
    const random = seeded(SEED);
    const { hosted, other, before, device, mine } = await begin(random);
    const session: Session = async (pathname, init) => {
      if (random() < 0.1) {
        await other.write();
      }
      return device.session(pathname, init);
    };
    const result = await device.push({ session });
    expect(result).toMatchObject({ status: 'done', rejected: [] });
    const counts = await expectOnce(device, hosted, mine, other.operations, before);
    expect(counts.conflicts).toBe(result.pending);
    expect(counts.conflicts).toBeGreaterThan(0);
    console.log(`${WRITES} writes to ${mine.size} paths: ${counts.landed} landed, ${counts.conflicts} conflicts`);
  });

  test(`${WRITES} offline writes with faults on every call; seed ${SEED}`, async () => {
    const random = seeded(SEED + 1);
    const { hosted, other, before, device, mine } = await begin(random);
    const hits = { writes: 0, all: 0 };
    const session: Session = async (pathname, init) => {
      if (random() < 0.05) {
        await other.write();
      }
      if (random() < 0.35) {
        pds.faults.next({ match: CALLS, ...FAULTS[Math.floor(random() * FAULTS.length)] });
        hits.all += 1;
        hits.writes += /Record|applyWrites/.test(pathname) ? 1 : 0;
      }
      return device.session(pathname, init);
    };
    const statuses: PushResult['status'][] = [];
    for (let push = 0; push < 60; push++) {
      const { status, pending, conflicts } = await device.push({ session });
      statuses.push(status);
      if (status === 'done' && pending === conflicts.length) {
        break;
      }
    }
    pds.faults.clear();
    expect(await device.push()).toMatchObject({ status: 'done', rejected: [] });
    const counts = await expectOnce(device, hosted, mine, other.operations, before);
    console.log(
      `${WRITES} writes to ${mine.size} paths with ${hits.all} faults (${hits.writes} on writes) in ${statuses.length} pushes: ` +
        `${counts.landed} landed, ${counts.conflicts} conflicts`,
    );
  });
});
