/** Copies of accounts of a real PDS in PostgreSQL: clone, pull, follow and push, also by several processes. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { listOf } from '../../src/core/data/list-of.ts';
import type { PostgresRepos } from '../../src/postgres.ts';
import { openPostgres } from '../../src/postgres.ts';
import type { Repo } from '../../src/index.ts';
import { clone, pull, storedAccount } from '../../src/sync.ts';
import { bundleChild } from '../bundled-child.ts';
import type { Driver, HostedAccount } from '../network/network.ts';
import { createDriver, useNetwork } from '../network/network.ts';
import { lacksPds, why as whyNoPds } from '../network/network-test.ts';
import { accountOf, deviceOver, hostRecords, NOTE, note, operationsOf, pathOf } from '../network/outbox-device.ts';
import { expectTruth } from '../network/truth.ts';
import { connectPg, driver as pgPath, newSchema } from './connect.ts';
import type { CopierTask } from './copier.ts';
import { lacksPostgres, why } from './postgres-test.ts';

const wsPath = fileURLToPath(new URL('../network/node_modules/ws', import.meta.url));

/** A process that copies. */
class Copier {
  readonly #child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  lines: string[] = [];
  errors = '';

  constructor(program: string, task: CopierTask) {
    this.#child = spawn(process.execPath, [program, JSON.stringify(task)]);
    this.#child.stdout!.on('data', (chunk: Buffer) => this.lines.push(...chunk.toString().trim().split('\n')));
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }) as never);
  }

  stop(): void {
    this.#child.stdin!.end();
  }
}

const until = async (isDone: () => Promise<boolean> | boolean): Promise<void> => {
  for (let i = 0; !(await isDone()); i++) {
    expect(i, 'polls').toBeLessThan(1000);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
};

describe.skipIf(lacksPostgres || lacksPds)(`copies of a PDS in PostgreSQL${why}${whyNoPds}`, () => {
  const network = useNetwork();
  const schema = newSchema();
  let places: PostgresRepos;
  let program: string;
  const options = () => ({ plcUrl: network.plcUrl, allowPrivate: true });

  beforeAll(async () => {
    places = await openPostgres(connectPg(inject('postgresUrl')), { schema });
    await places.migrate();
    program = await bundleChild('test/postgres/copier.ts');
  });
  afterAll(() => places.close());

  const newAccount = async (seed: number, steps: number): Promise<[HostedAccount, Driver]> => {
    const account = await network.pds[0]!.createAccount();
    const driver = await createDriver(account, { seed });
    return [account, await driver.run(steps)];
  };
  const start = (did: string, task: Partial<CopierTask> = {}): Copier =>
    new Copier(program, {
      url: inject('postgresUrl'),
      schema,
      did,
      plcUrl: network.plcUrl,
      driver: pgPath,
      webSocket: wsPath,
      ...task,
    });
  const expectSound = async (repo: Repo): Promise<void> => {
    const { key } = (await storedAccount(repo))!;
    const { ok, faults, signature } = await repo.verify({ key });
    expect({ ok, faults, signature }).toEqual({ ok: true, faults: [], signature: 'valid' });
  };

  test('clone and pull have the heads, records and blobs of the host', async () => {
    const [account, driver] = await newAccount(1, 40);
    const create = ({ did }: { readonly did: string }): Promise<Repo> => places.openOrCreateRepo({ did });
    const { repo, pulled } = await clone(account.did, create, options());
    expect(pulled).toMatchObject({ status: 'updated', blobs: { failed: [] } });
    await expectTruth(repo, driver);
    await driver.run(40);
    expect(await pull(repo, options())).toMatchObject({ status: 'updated', blobs: { failed: [] } });
    await expectTruth(repo, driver);
    expect((await pull(repo, options())).status).toBe('current');
    await expectSound(repo);
    await repo.close();
  });

  test('a clone whose process is killed at any step is continued', async () => {
    const [account, driver] = await newAccount(2, 60);
    let killed = 0;
    for (let lastStep = 0; ; lastStep += 1 + Math.floor(lastStep / 2)) {
      const copier = start(account.did, { lastStep });
      const { code, signal } = await copier.ended;
      expect(copier.errors).toBe('');
      if (signal === null) {
        expect(code).toBe(0);
        break;
      }
      killed += 1;
    }
    expect(killed).toBeGreaterThan(3);
    const repo = await places.openRepo(account.did);
    await expectTruth(repo, driver);
    await expectSound(repo);
    await repo.close();
    // What was killed has left parts of blobs at most, which the sweep finds.
    expect(await places.sweep({ olderThanMs: 0 })).toBeGreaterThanOrEqual(0);
  });

  test('processes that follow the same account at once all have its head, and each commit once', async () => {
    const [account, driver] = await newAccount(3, 10);
    await start(account.did).ended;
    const repo = await places.openRepo(account.did);
    const before = (await listOf(repo.log())).length;
    const copiers = (['firehose', 'firehose', 'poll'] as const).map((source) => start(account.did, { source }));
    await until(() => copiers.every(({ lines }) => lines.some((line) => line.startsWith('state live'))));
    const from = driver.history.length;
    for (let i = 0; i < 6; i++) {
      await driver.run(4);
    }
    await until(async () => String((await repo.head())?.cid) === driver.head.cid);
    // One that was behind reports nothing wrong with the account.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    copiers.forEach((copier) => copier.stop());
    for (const copier of copiers) {
      expect(await copier.ended).toEqual({ code: 0, signal: null });
      expect([copier.errors, copier.lines.filter((line) => line.startsWith('state inactive'))]).toEqual(['', []]);
    }
    await pull(repo, options());
    await expectTruth(repo, driver);
    await expectSound(repo);
    const revs = (await listOf(repo.log())).map(({ rev }) => rev);
    expect(new Set(revs).size).toBe(revs.length);
    expect(revs.length - before).toBeLessThanOrEqual(driver.history.length - from);
    const known = new Set(driver.history.map(({ rev }) => rev));
    expect(revs.slice(0, -before).filter((rev) => !known.has(rev))).toEqual([]);
    // No owner took the commits of another one for local work.
    expect([...(await repo.refs()).keys()]).toEqual(['main']);
    await repo.close();
  });

  test('an outbox pushes; a push of another process at the same time sends nothing twice', async () => {
    const [hosted] = await newAccount(4, 2);
    const pds = network.pds[0]!;
    const account = await accountOf(network, hosted);
    const other = await openPostgres(connectPg(inject('postgresUrl')), { schema });
    const create = ({ did }: { readonly did: string }): Promise<Repo> => places.openOrCreateRepo({ did });
    const { repo } = await clone(hosted.did, create, options());
    const devices = [deviceOver(repo, hosted, account), deviceOver(await other.openRepo(hosted.did), hosted, account)];
    for (let i = 0; i < 6; i++) {
      await devices[0]!.outbox.put(NOTE, `n${i}`, note(`${i}`));
    }
    const results = await Promise.all(devices.map((device) => device.push()));
    expect(results.map(({ status, conflicts, rejected }) => [status, conflicts, rejected])).toEqual([
      ['done', [], []],
      ['done', [], []],
    ]);
    const sent = (await operationsOf(pds)).filter((operation) => operation.startsWith(`${NOTE}/n`));
    expect(sent.map((operation) => operation.split(' ')[0]).sort()).toEqual(
      [0, 1, 2, 3, 4, 5].map((i) => pathOf(`n${i}`)),
    );
    await pull(repo, options());
    await devices[0]!.outbox.delete(NOTE, 'n0');
    expect(await devices[0]!.push()).toMatchObject({ status: 'done', landed: [pathOf('n0')], pending: 0 });
    expect([...(await hostRecords(pds, hosted.did)).keys()].sort()).toEqual(
      [1, 2, 3, 4, 5].map((i) => pathOf(`n${i}`)),
    );
    await expectSound(repo);
    await other.close();
  });
});
