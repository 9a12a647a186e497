/** `migrate` between two real PDSs: with the old one alive and written to, without it, and repeated after each step. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Repo } from '../../src/index.ts';
import { generateKey, importKey } from '../../src/index.ts';
import { openOrCreateRepo } from '../../src/node.ts';
import { clone, follow, migrate, passwordSession, pull, resolveAccount, status } from '../../src/sync.ts';
import type { MigrateOptions, MigrateStep, PasswordSession, WebSocketClass } from '../../src/sync.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { callHost } from './call-host.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Driver, HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';

const STEPS: readonly MigrateStep[] = [
  'account',
  'records',
  'blobs',
  'preferences',
  'sign',
  'deactivate',
  'check',
  'identity',
  'activate',
];

describe.skipIf(lacksPds)(`a migration between two PDSs${why}`, () => {
  const network = useNetwork({ pds: 2 });
  let old: Pds;
  let fresh: Pds;
  const folder = scratchFolder('migrate');
  const hosts = (): object => ({ plcUrl: network.plcUrl, dohUrl: network.plcUrl, allowPrivate: true });

  beforeAll(async () => {
    [old, fresh] = network.pds as [Pds, Pds];
  });

  interface Moving {
    readonly account: HostedAccount;
    readonly driver: Driver;
    readonly repo: Repo;
    readonly from: PasswordSession;
    readonly options: MigrateOptions;
  }
  const start = async (name: string, more: object = {}): Promise<Moving> => {
    const account = await old.createAccount({ name, ...more });
    const driver = await createDriver(account, { seed: 11 });
    await driver.run(25);
    const create = ({ did }: { readonly did: string }): Promise<Repo> => openOrCreateRepo(join(folder, name), { did });
    const { repo } = await clone(account.did, create, hosts());
    const service = old.url;
    const from = passwordSession({ ...hosts(), service, identifier: account.did, password: account.password });
    const to = { service: fresh.url, handle: `${name}.pds1.test`, email: `${name}@pds1.test`, password: 'another' };
    const plcToken = async (): Promise<string> => old.lastToken(account.email);
    return { account, driver, repo, from, options: { ...hosts(), to, from, plcToken } };
  };

  /** Expects the new host to have everything, and to accept writes that the copy follows. */
  const expectMoved = async ({ account, driver, repo }: Moving): Promise<void> => {
    const { did } = account;
    expect(await resolveAccount(did, hosts())).toMatchObject({ pds: fresh.url });
    expect((await repo.head())?.cid.toString()).toBe(driver.head.cid);
    const params = { did };
    expect(await callHost(fresh.url, { method: 'com.atproto.sync.getRepoStatus', params })).toMatchObject({
      active: true,
    });
    const latest = await callHost(fresh.url, { method: 'com.atproto.sync.getLatestCommit', params });
    expect(latest).toMatchObject({ cid: driver.head.cid });
    for (const cid of driver.blobs.keys()) {
      const isMentioned = [...driver.records.values()].some(({ value }) => JSON.stringify(value).includes(cid));
      if (isMentioned) {
        await callHost(fresh.url, { method: 'com.atproto.sync.getBlob', params: { did, cid } });
      }
    }
    const service = fresh.url;
    const session = passwordSession({ ...hosts(), service, identifier: did, password: 'another' });
    const record = { $type: 'com.example.note', text: 'from the new host' };
    const input = { repo: did, collection: 'com.example.note', rkey: 'moved', record };
    const { ok } = await session('/xrpc/com.atproto.repo.putRecord', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    });
    expect(ok).toBe(true);
    const pulled = await pull(repo, hosts());
    expect(pulled).toMatchObject({ status: 'updated', created: 1 });
    const key = (await fresh.signingKey(did)).did();
    expect(await repo.verify({ key })).toMatchObject({ ok: true, signature: 'valid' });
    await repo.close();
  };

  test('moves an account that is written to meanwhile', { timeout: 60_000 }, async () => {
    const moving = await start('alice');
    const { driver, repo, options, account } = moving;
    const steps: string[] = [];
    let writing: Promise<unknown> = Promise.resolve();
    const result = await migrate(repo, {
      ...options,
      onStep: ({ step }) => {
        steps.push(step);
        if (step === 'preferences') {
          writing = driver.run(5);
        }
      },
      plcToken: async () => {
        await writing;
        return old.lastToken(account.email);
      },
    });
    expect(result).toMatchObject({ did: account.did, pds: fresh.url, head: driver.head.cid });
    expect(result.blobs).toBeGreaterThan(0);
    expect([...new Set(steps)]).toEqual(STEPS);
    const { did } = account;
    const method = 'com.atproto.sync.getRepoStatus';
    expect(await callHost(old.url, { method, params: { did } })).toMatchObject({
      active: false,
      status: 'deactivated',
    });
    await expectMoved(moving);
  });

  test('a copy that follows the account goes with it', { timeout: 60_000 }, async () => {
    const { WebSocket } = (await import('ws' as string)) as { WebSocket: WebSocketClass };
    const moving = await start('carol');
    const watcher = await openOrCreateRepo(join(folder, 'watcher'), { did: moving.account.did });
    const following = follow(watcher, { ...hosts(), WebSocket, checkMs: 500 });
    const done = (async () => {
      for await (const update of following) {
        void update;
      }
    })();
    await migrate(moving.repo, moving.options);
    await expectMoved(moving);
    const deadline = Date.now() + 20_000;
    while ((await watcher.get('com.example.note', 'moved')) === undefined && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await watcher.get('com.example.note', 'moved'))?.value['text']).toBe('from the new host');
    await following.close();
    await done;
    await watcher.close();
  });

  test('another copy, which knows the old host, finds the new one', { timeout: 60_000 }, async () => {
    const moving = await start('frank');
    const other = await openOrCreateRepo(join(folder, 'frank-too'), { did: moving.account.did });
    await pull(other, hosts());
    await migrate(moving.repo, moving.options);
    expect(await status(other, hosts())).toMatchObject({ pds: fresh.url, host: { state: 'current' } });
    expect(await pull(other, hosts())).toMatchObject({ status: 'current' });
    const late = await openOrCreateRepo(join(folder, 'frank-late'), { did: moving.account.did });
    // Until its first write, the head of the new host is signed with the earlier key.
    expect(await pull(late, hosts())).toMatchObject({ status: 'waiting', to: undefined });
    await expectMoved(moving);
    expect(await pull(late, hosts())).toMatchObject({ status: 'updated' });
    await other.close();
    await late.close();
  });

  test.each(STEPS)('continues after it ended at the step %s', { timeout: 60_000 }, async (last) => {
    const moving = await start(`bob-${last}`);
    const { repo, options, driver } = moving;
    const ended = migrate(repo, {
      ...options,
      onStep: ({ step }) => {
        if (step === last) {
          throw new Error(`ended at ${step}`);
        }
      },
    });
    await expect(ended).rejects.toThrow(`ended at ${last}`);
    expect(await migrate(repo, options)).toMatchObject({ head: driver.head.cid });
    await expectMoved(moving);
  });

  test('refuses while blobs are missing, and leaves the account where it is', { timeout: 60_000 }, async () => {
    const moving = await start('dave');
    const { repo, options, account, from } = moving;
    const empty = await openOrCreateRepo(join(folder, 'dave-without-blobs'), { did: account.did });
    await pull(empty, { ...hosts(), blobs: false });
    const blind: typeof from = Object.assign(
      async (pathname: string, init: RequestInit) =>
        pathname.includes('getBlob') ? new Response('{}', { status: 502 }) : from(pathname, init),
      { signIn: from.signIn, signOut: from.signOut, did: account.did },
    );
    await expect(migrate(empty, { ...options, from: blind, retryMs: 1 })).rejects.toMatchObject({
      code: 'BlobNotFound',
    });
    expect(await resolveAccount(account.did, hosts())).toMatchObject({ pds: old.url });
    const params = { did: account.did };
    const method = 'com.atproto.sync.getRepoStatus';
    expect(await callHost(old.url, { method, params })).toMatchObject({ active: true });
    await empty.close();
    await repo.close();
  });

  test('moves an account from the copy alone, without its host', { timeout: 60_000 }, async () => {
    const rotationKey = generateKey();
    const moving = await start('erin', { recoveryKey: rotationKey.did() });
    const { repo, options } = moving;
    const signingKey = importKey(readFileSync(join(dirname(await old.storePath(moving.account.did)), 'key')));
    await old.stop();
    const { from: _, plcToken: __, ...alone } = options;
    await expect(migrate(repo, alone)).rejects.toMatchObject({ code: 'SignerRequired' });
    await expect(migrate(repo, { ...alone, signingKey })).rejects.toMatchObject({ code: 'SignerRequired' });
    await migrate(repo, { ...alone, signingKey, rotationKey });
    await expectMoved(moving);
  });
});
