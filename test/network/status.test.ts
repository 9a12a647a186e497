/** `status` of copies of an account on a real PDS. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { generateKey } from '../../src/index.ts';
import { openOrCreateRepo, openRepo } from '../../src/node.ts';
import { clone, pull, status } from '../../src/sync.ts';
import type { CopyStatus } from '../../src/sync.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Driver, HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';

describe.skipIf(lacksPds)(`the status of a copy${why}`, () => {
  const network = useNetwork({ proxy: true });
  let pds: Pds;
  let account: HostedAccount;
  let driver: Driver;
  const folder = scratchFolder('status');
  const at = (name: string): string => join(folder, name);
  const options = () => ({ plcUrl: network.plcUrl, pdsUrl: pds.url, allowPrivate: true, name: 'alice' });
  /** The status of a copy that is open for reading only. */
  const statusOf = async (name = 'copy'): Promise<CopyStatus> => {
    await using repo = await openRepo(at(name), { readOnly: true });
    return await status(repo, options());
  };

  beforeAll(async () => {
    pds = network.pds[0]!;
    account = await pds.createAccount({ name: 'alice' });
    driver = await createDriver(account, { seed: 5 });
    await driver.run(40);
    const { repo } = await clone(account.handle, ({ did }) => openOrCreateRepo(at('copy'), { did }), options());
    await repo.close();
  });

  test('of a current copy: one request, and nothing to do', async () => {
    const before = pds.faults.log.length;
    const { did, handle } = account;
    const { cid: head, rev } = driver.head;
    const found = await statusOf();
    expect(found).toEqual({
      did,
      handle,
      pds: pds.url,
      local: { head, rev, records: driver.at().size, blobs: expect.any(Number), missingBlobs: 0, kept: [], pending: 0 },
      host: { state: 'current', head, rev },
      todo: [],
    });
    expect(found.local.blobs).toBeGreaterThan(0);
    expect(pds.faults.log.length - before).toBe(1);
  });

  test('of an empty copy, whose account is not stored yet', async () => {
    await (await openOrCreateRepo(at('empty'), { did: account.did })).close();
    expect(await statusOf('empty')).toMatchObject({
      handle: account.handle,
      pds: pds.url,
      local: { head: undefined, records: 0, missingBlobs: 0 },
      host: { state: 'ahead', head: driver.head.cid },
      todo: [{ problem: 'the copy is empty', command: 'pdsdb pull alice' }],
    });
  });

  test('of a copy that is not current: newer commits, missing blobs, the outbox, kept work', async () => {
    await driver.step('create');
    {
      await using repo = await openRepo(at('copy'));
      await repo.branch('outbox').put('com.example.note', 'draft', { text: 'not sent' });
      await repo.setRef('local-3abc', 'main');
    }
    expect(await statusOf()).toMatchObject({
      local: { pending: 1, kept: ['local-3abc'] },
      host: { state: 'ahead', head: driver.head.cid, rev: driver.head.rev },
      todo: [
        { command: 'pdsdb pull alice' },
        { problem: '1 change in the outbox has not been sent to the host', command: 'pdsdb push alice' },
        { command: 'pdsdb diff alice main local-3abc' },
      ],
    });
    await using repo = await openOrCreateRepo(at('no-blobs'), { did: account.did });
    await pull(repo, { ...options(), blobs: false });
    const { local, todo } = await status(repo, options());
    expect(local.missingBlobs).toBeGreaterThan(0);
    const problem = expect.stringMatching(new RegExp(`^${local.missingBlobs} blobs? (is|are) missing$`)) as unknown;
    expect(todo).toEqual([{ problem, command: 'pdsdb blob fetch alice' }]);
  });

  test('of a host that has an older head', async () => {
    await using repo = await openRepo(at('no-blobs'), { signer: generateKey() });
    await repo.put('com.example.note', 'local', { text: 'only here' }, { allowOtherKey: true });
    const { host, todo } = await status(repo, options());
    expect(host).toMatchObject({ state: 'behind', head: driver.head.cid });
    expect(todo[0]).toMatchObject({ command: 'pdsdb pull alice --rollback' });
  });

  test('of an account that is taken down', async () => {
    await pds.takedown(account.did);
    const { host, todo } = await statusOf();
    await pds.takedown(account.did, false);
    expect(host).toEqual({ state: 'inactive', reason: 'RepoTakendown' });
    expect(todo[0]).toMatchObject({ command: 'pdsdb backup alice <target>' });
  });

  test('of a host that fails, or is not there', async () => {
    pds.faults.next({ match: /getLatestCommit/, status: 500, times: 2 });
    expect((await statusOf()).host).toMatchObject({ state: 'unknown', error: { code: 'HostFailed' } });
    pds.faults.next({ match: /getLatestCommit/, refuse: true, times: 4 });
    const { host, local, handle, todo } = await statusOf();
    pds.faults.clear();
    expect(host).toMatchObject({ state: 'unreachable', error: { code: 'HostUnreachable' } });
    expect(local.records).toBeGreaterThan(0);
    expect(handle).toBe(account.handle);
    expect(todo[0]).toMatchObject({ command: 'pdsdb status alice' });
    await using repo = await openRepo(at('empty'), { readOnly: true });
    const nowhere = { ...options(), plcUrl: 'http://127.0.0.1:1', pdsUrl: 'http://127.0.0.1:1' };
    expect(await status(repo, nowhere)).toMatchObject({
      handle: undefined,
      pds: undefined,
      host: { state: 'unreachable', error: { code: 'HostUnreachable' } },
    });
  });

  test('ends with its signal', async () => {
    await using repo = await openRepo(at('copy'), { readOnly: true });
    pds.faults.next({ match: /getLatestCommit/, delay: 5000 });
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('stop')), 100);
    await expect(status(repo, { ...options(), signal: abort.signal })).rejects.toThrow('stop');
    pds.faults.clear();
  });
});
