/** `clone` and `pull` from a real PDS. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MissingBlob } from '../../src/index.ts';
import { openOrCreateRepo, openRepo } from '../../src/node.ts';
import { clone, fetchMissingBlobs, pull, resolveAccount, storedAccount } from '../../src/sync.ts';
import type { PullProgress } from '../../src/sync.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Driver, HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { expectTruth } from './truth.ts';

describe.skipIf(lacksPds)(`a copy of an account on a PDS${why}`, () => {
  const network = useNetwork({ proxy: true });
  let pds: Pds;
  let account: HostedAccount;
  let driver: Driver;
  const folder = scratchFolder('pull');
  const at = (name: string): string => join(folder, name);
  const options = () => ({ plcUrl: network.plcUrl, pdsUrl: pds.url, allowPrivate: true });
  const create =
    (name: string) =>
    ({ did }: { readonly did: string }) =>
      openOrCreateRepo(at(name), { did });
  const calls = (): string[] =>
    pds.faults.log.map(({ url }) => /\/xrpc\/([\w.]+)/.exec(url)?.[1] ?? '').filter((nsid) => /sync/.test(nsid));

  beforeAll(async () => {
    pds = network.pds[0]!;
    account = await pds.createAccount({ name: 'alice' });
    driver = await createDriver(account, { seed: 3 });
    await driver.run(60);
  });

  test('resolves a handle, a DID and an at:// URI to the host and the key', async () => {
    const key = (await pds.signingKey(account.did)).did();
    for (const identifier of [
      account.handle,
      `@${account.handle}`,
      account.did,
      `at://${account.handle}/app.bsky.feed.post/1`,
    ]) {
      const found = await resolveAccount(identifier, options());
      expect(found).toMatchObject({
        did: account.did,
        handle: account.handle,
        handleVerified: true,
        pds: pds.url,
        key,
      });
    }
    await expect(resolveAccount('nobody.pds0.test', options())).rejects.toMatchObject({ code: 'HandleNotFound' });
    const unknown = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa';
    await expect(resolveAccount(unknown, options())).rejects.toMatchObject({ code: 'DidNotFound' });
  });

  test('clones the records, the head and the blobs, with progress', async () => {
    const seen: PullProgress[] = [];
    const { repo, pulled } = await clone(account.handle, create('copy'), {
      ...options(),
      onProgress: (progress) => seen.push(progress),
    });
    expect(pulled).toMatchObject({ status: 'updated', from: undefined, blobs: { failed: [] } });
    expect(pulled.created).toBe(driver.at().size);
    expect(pulled.blobs.fetched).toBeGreaterThan(0);
    await expectTruth(repo, driver);
    expect(await repo.verify({ key: (await pds.signingKey(account.did)).did() })).toMatchObject({ ok: true });
    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual([
      'identity',
      'head',
      'read',
      'verify',
      'write',
      'blobs',
    ]);
    await repo.close();
  });

  test('reports the download before the host sends anything', async () => {
    await using repo = await openOrCreateRepo(at('slow'), { did: account.did });
    const phases = new Set<string>();
    pds.faults.next({ match: /getRepo/, status: 400 });
    const pulled = pull(repo, { ...options(), onProgress: ({ phase }) => phases.add(phase) });
    await expect(pulled).rejects.toMatchObject({ code: 'HostRejected' });
    expect([...phases]).toEqual(['identity', 'head', 'read']);
  });

  test('clones an account that was looked up before, without a second lookup, and keeps it beside the copy', async () => {
    const found = await resolveAccount(account.handle, options());
    const nowhere = { ...options(), plcUrl: 'http://localhost:1' };
    await using repo = (await clone(found, create('known'), { ...nowhere, blobs: false })).repo;
    expect((await repo.head())?.cid.toString()).toBe(driver.head.cid);
    expect(await storedAccount(repo)).toEqual(found);
    await using other = await openOrCreateRepo(at('other'), { did: account.did });
    expect(await storedAccount(other)).toBeUndefined();
  });

  test('fetches the blobs that are passed, and no others', async () => {
    await using repo = await openRepo(at('known'));
    const missing: MissingBlob[] = [];
    for await (const blob of repo.missingBlobs()) {
      missing.push(blob);
    }
    expect(missing.length).toBeGreaterThan(1);
    const [first] = missing;
    expect(await fetchMissingBlobs(repo, { ...options(), missing: [first!] })).toMatchObject({
      fetched: 1,
      failed: [],
    });
    expect(await repo.getBlob(first!.cid)).toBeDefined();
    expect(await repo.getBlob(missing[1]!.cid)).toBeUndefined();
  });

  test('makes one request when the copy is current', async () => {
    const repo = await openRepo(at('copy'));
    const before = calls().length;
    expect(await pull(repo, options())).toMatchObject({ status: 'current', created: 0, blobs: { fetched: 0 } });
    expect(calls().slice(before)).toEqual(['com.atproto.sync.getLatestCommit']);
    await repo.close();
  });

  test.each([false, true])('follows random writes by differences only, gc between pulls: %s', async (isCollected) => {
    const repo = await openRepo(at('copy'));
    for (let round = 0; round < 12; round++) {
      await driver.run(10);
      const before = pds.faults.log.length;
      const { status } = await pull(repo, options());
      expect(['current', 'updated']).toContain(status);
      await expectTruth(repo, driver);
      const whole = pds.faults.log.slice(before).filter(({ url }) => /getRepo/.test(url) && !/since=/.test(url));
      expect(whole).toEqual([]);
      if (isCollected) {
        await repo.gc({ keep: 1 });
      }
    }
    expect((await repo.verify({ key: (await pds.signingKey(account.did)).did() })).faults).toEqual([]);
    await repo.close();
  });

  test('follows a rotation of the key, with one lookup', async () => {
    const repo = await openRepo(at('copy'));
    const { did: key } = await pds.rotateKey(account.did).then((pair) => ({ did: pair.did() }));
    expect(await pull(repo, options())).toMatchObject({ status: 'updated' });
    expect(await repo.verify({ key })).toMatchObject({ ok: true, signature: 'valid' });
    await repo.close();
  });

  test('says that an account is inactive, and keeps the copy', async () => {
    const repo = await openRepo(at('copy'));
    const head = await repo.head();
    await pds.takedown(account.did);
    expect(await pull(repo, options())).toMatchObject({ status: 'inactive', reason: 'RepoTakendown' });
    const withoutPlc = { ...options(), plcUrl: 'http://127.0.0.1:1' };
    expect(await pull(repo, withoutPlc)).toMatchObject({ status: 'inactive', reason: 'RepoTakendown' });
    await pds.takedown(account.did, false);
    expect((await repo.head())?.cid).toEqual(head?.cid);
    expect(await pull(repo, options())).toMatchObject({ status: 'current' });
    await repo.close();
  });

  test('refuses a repository of another account, and closes it', async () => {
    const other = await pds.createAccount({ name: 'bob' });
    await expect(clone(other.did, () => openRepo(at('copy')), options())).rejects.toMatchObject({ code: 'WrongDid' });
    await (await openRepo(at('copy'))).close();
  });
});
