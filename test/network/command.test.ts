/**
 * The verbs `resolve`, `clone`, `pull`, `status` and `blob fetch` with a real PDS. `PDSDB_MOVES` is the number of
 * writes of the account, and `PDSDB_KILLS` the number of killed clones.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openRepo } from '../../src/node.ts';
import { buildPackage } from '../built-package.ts';
import { collectProcess, jsonLines, pdsdb } from '../cli/run-command.ts';
import type { Outcome, Process } from '../cli/run-command.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Driver, HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { expectTruth } from './truth.ts';

const MOVES = Number(process.env['PDSDB_MOVES'] ?? 80);
/** Moments at which a clone is killed. */
const KILLS = Number(process.env['PDSDB_KILLS'] ?? 4);

describe.skipIf(lacksPds)(`the command and a PDS${why}`, () => {
  const network = useNetwork({ proxy: true });
  let pds: Pds;
  let account: HostedAccount;
  let driver: Driver;
  const folder = scratchFolder('command');
  let built: string;
  const at = (name: string): string => join(folder, name);
  const options = (): string[] => ['--pds-host', pds.url, '--plc-host', network.plcUrl, '--allow-private'];
  const run = (...args: string[]): Promise<Outcome> => pdsdb([...args, ...options()]);
  /** Runs a verb with `--json`, and returns its one value. */
  const json = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout } = await run(...args, '--json');
    const [value, ...more] = jsonLines(stdout);
    expect(more).toEqual([]);
    return { code, ...(value as object) };
  };
  const start = (...args: string[]): Process =>
    collectProcess(spawn(process.execPath, [join(built, 'dist', 'cli.js'), ...args, ...options()], { cwd: folder }));
  const expectCopy = async (name: string): Promise<void> => {
    await using repo = await openRepo(at(name), { readOnly: true });
    await expectTruth(repo, driver);
    expect((await repo.verify({ key: (await pds.signingKey(account.did)).did() })).faults).toEqual([]);
  };
  const head = (): object => ({ cid: driver.head.cid, rev: driver.head.rev });
  const requests = (from = 0): string[] => pds.faults.log.slice(from).map(({ url }) => url);
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };

  beforeAll(
    async () => {
      built = await buildPackage('network-command');
      pds = network.pds[0]!;
      account = await pds.createAccount({ name: 'alice' });
      driver = await createDriver(account, { seed: 7 });
      await driver.run(MOVES);
      // A busy machine needs more than half a second for a write.
    },
    900_000 + MOVES * 2_000,
  );

  test('resolve prints the account of a handle, a DID and an at:// URI', async () => {
    const { did, handle } = account;
    const key = (await pds.signingKey(did)).did();
    for (const identifier of [handle, did, `at://${did}/app.bsky.feed.post/x`]) {
      expect(await json('resolve', identifier)).toEqual({
        code: 0,
        did,
        handle,
        handleVerified: true,
        pds: pds.url,
        key,
        doc: expect.objectContaining({ id: did }),
      });
    }
    const env = { ATP_PDS_HOST: pds.url, ATP_PLC_HOST: network.plcUrl };
    const { code, stdout } = await pdsdb(['resolve', handle, '--allow-private'], { env });
    expect([code, stdout]).toEqual([0, `did     ${did}\nhandle  ${handle}\nhost    ${pds.url}\nkey     ${key}\n`]);
    expect(await json('resolve', 'nobody.pds0.test')).toMatchObject({ code: 1, error: 'HandleNotFound' });
  });

  test('clone makes a copy in a folder with the name of the handle', async () => {
    const cloning = await start('clone', account.handle, '--json').ended;
    expect({ ...cloning, stdout: JSON.parse(cloning.stdout) as unknown }).toEqual({
      code: 0,
      stderr: '',
      stdout: {
        did: account.did,
        status: 'updated',
        from: null,
        to: head(),
        host: head(),
        created: driver.at().size,
        updated: 0,
        deleted: 0,
        blobs: { fetched: expect.any(Number), bytes: expect.any(Number), failed: [] },
      },
    });
    await expectCopy(account.handle);
  });

  test('pull brings changes, and status says before what it will do', async () => {
    await driver.run(10);
    const before = await json('status', at(account.handle));
    expect(before).toEqual({
      code: 0,
      did: account.did,
      handle: account.handle,
      pds: pds.url,
      local: expect.objectContaining({ missingBlobs: 0, kept: [], pending: 0 }),
      host: { state: 'ahead', head: driver.head.cid, rev: driver.head.rev },
      todo: [{ problem: 'the host has newer commits', command: `pdsdb pull ${at(account.handle)}` }],
    });
    expect(await json('pull', at(account.handle))).toMatchObject({ code: 0, status: 'updated', to: head() });
    await expectCopy(account.handle);
    expect(await json('pull', at(account.handle))).toMatchObject({ code: 0, status: 'current', created: 0 });
    expect((await run('status', at(account.handle))).stdout).toMatch(/^state +current$/m);
  });

  test('blob fetch brings the blobs that --no-blobs left out', async () => {
    expect(await json('clone', account.did, at('late'), '--no-blobs')).toMatchObject({ blobs: { fetched: 0 } });
    const { local } = (await json('status', at('late'))) as { local: { missingBlobs: number } };
    expect(local.missingBlobs).toBeGreaterThan(1);
    const [first] = jsonLines((await pdsdb(['blob', 'missing', at('late'), '--json'])).stdout) as { cid: string }[];
    expect(await json('blob', 'fetch', at('late'), first!.cid)).toMatchObject({ code: 0, fetched: 1, failed: [] });
    expect(await json('blob', 'fetch', at('late'))).toMatchObject({ code: 0, fetched: local.missingBlobs - 1 });
    await expectCopy('late');
  });

  test('blob fetch lists what the host does not send, and exits with 1', async () => {
    await json('clone', account.did, at('lacking'), '--no-blobs');
    const body = { error: 'BlobNotFound', message: 'Blob not found' };
    pds.faults.next({ match: /getBlob/, status: 400, body });
    const { code, failed } = await json('blob', 'fetch', at('lacking'));
    expect([code, failed]).toMatchObject([1, [{ error: 'BlobNotFound', uri: expect.stringContaining('at://') }]]);
    expect(await json('blob', 'fetch', at('lacking'))).toMatchObject({ code: 0, fetched: 1 });
  });

  test(`a clone that is killed at ${KILLS} moments continues`, { timeout: 3_600_000 + KILLS * 60_000 }, async () => {
    const clone = (name: string): Process => start('clone', account.did, at(name));
    /** Starts a clone, and returns it when its first request has arrived. */
    const begun = async (name: string): Promise<Process> => {
      const from = pds.faults.log.length;
      const cloning = clone(name);
      await until(() => pds.faults.log.length > from || cloning.exitCode !== null);
      return cloning;
    };
    const whole = await begun('whole');
    const began = performance.now();
    await whole.ended;
    const duration = performance.now() - began;
    let killed = 0;
    for (let i = 0; i < KILLS; i++) {
      const name = `killed-${i}`;
      const cloning = await begun(name);
      await new Promise((resolve) => setTimeout(resolve, (duration * (i + 0.5)) / KILLS));
      cloning.kill('SIGKILL');
      killed += (await cloning.ended).code === null ? 1 : 0;
      const stored = jsonLines((await pdsdb(['blob', 'ls', at(name), '--json'])).stdout) as { cid?: string }[];
      const from = pds.faults.log.length;
      expect(await run('clone', account.did, at(name)), name).toMatchObject({ code: 0, stderr: '' });
      const again = requests(from).filter((url) => stored.some(({ cid }) => cid !== undefined && url.includes(cid)));
      expect(again).toEqual([]);
      await expectCopy(name);
    }
    expect(killed).toBeGreaterThan(KILLS / 2);
  });

  test('Ctrl-C says how to continue, and the next run continues', async () => {
    pds.faults.next({ match: /getBlob/, delay: 60_000 });
    const from = pds.faults.log.length;
    const cloning = start('clone', account.handle, at('stopped'), '--json');
    await until(() => requests(from).some((url) => url.includes('getBlob')));
    cloning.kill('SIGINT');
    const { code, stdout, stderr } = await cloning.ended;
    const command = ['pdsdb', 'clone', account.handle, at('stopped'), ...options()].join(' ');
    const message = `interrupted. To continue, run: ${command}`;
    expect([code, stderr]).toEqual([130, `error: ${message}\n`]);
    expect(JSON.parse(stdout)).toEqual({ error: 'Interrupted', message });
    expect(await json('clone', account.handle, at('stopped'))).toMatchObject({ code: 0, status: 'current' });
    await expectCopy('stopped');
  });

  test('clone never overwrites', async () => {
    const other = await pds.createAccount({ name: 'bob' });
    expect(await json('clone', other.did, at(account.handle))).toMatchObject({ code: 1, error: 'WrongDid' });
    await expectCopy(account.handle);
    mkdirSync(at('notes'));
    writeFileSync(at('notes/notes.txt'), 'mine');
    expect(await json('clone', other.did, at('notes'))).toMatchObject({ code: 1, error: 'RepoExists' });
    expect(await json('clone', other.did, at('notes/notes.txt'))).toMatchObject({ code: 1, error: 'InvalidRequest' });
    expect(readdirSync(at('notes'))).toEqual(['notes.txt']);
  });

  test('an account that is taken down: no new folder, and the copy stays', async () => {
    await pds.takedown(account.did);
    expect(await json('clone', account.did, at('none'))).toMatchObject({ code: 1, error: 'RepoTakendown' });
    expect(existsSync(at('none'))).toBe(false);
    const pulled = await run('pull', at(account.handle));
    const { host } = await json('status', at(account.handle));
    await pds.takedown(account.did, false);
    expect(pulled).toMatchObject({ code: 1, stderr: expect.stringContaining('the host has taken it down') });
    expect(host).toEqual({ state: 'inactive', reason: 'RepoTakendown' });
    await expectCopy(account.handle);
  });

  test('a host that went back: pull says so, and --rollback follows it', async () => {
    const older = { cid: driver.head.cid, rev: '2222222222222' };
    await driver.step('create');
    await json('pull', at('late'));
    pds.faults.next({ match: /getLatestCommit/, status: 200, body: older });
    const { code, stdout, stderr } = await run('pull', at('late'));
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^status +rolledBack$/m)]);
    expect(stderr).toContain(`run: pdsdb pull ${at('late')} --rollback`);
    expect(await json('pull', at('late'), '--rollback')).toMatchObject({ code: 0, status: 'current' });
  });

  test('a host that is not there', async () => {
    const nowhere = ['--pds-host', 'http://127.0.0.1:1', '--plc-host', 'http://127.0.0.1:1', '--allow-private'];
    const status = await pdsdb(['status', at(account.handle), ...nowhere, '--json']);
    expect([status.code, JSON.parse(status.stdout)]).toMatchObject([
      0,
      { host: { state: 'unreachable', error: 'HostUnreachable' }, local: { missingBlobs: 0 } },
    ]);
    const clone = await pdsdb(['clone', account.did, at('nowhere'), ...nowhere, '--json']);
    expect([clone.code, JSON.parse(clone.stdout)]).toMatchObject([1, { error: 'HostUnreachable' }]);
    expect(existsSync(at('nowhere'))).toBe(false);
  });
});
