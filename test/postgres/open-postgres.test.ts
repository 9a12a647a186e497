/** The entry point: accounts are listed, deleted, swept and closed; what is not valid is refused. */
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import type { PostgresOptions, PostgresRepos, PostgresUrlOptions } from '../../src/postgres.ts';
import { openPostgres } from '../../src/postgres.ts';
import { KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { newDid, newSchema } from './connect.ts';
import { lacksPostgres, why } from './postgres-test.ts';

describe.skipIf(lacksPostgres)(`openPostgres${why}`, () => {
  const open = async (options: PostgresUrlOptions = {}): Promise<PostgresRepos> => {
    const places = await openPostgres(inject('postgresUrl'), {
      readers: 2,
      writers: 2,
      schema: newSchema(),
      ...options,
    });
    onTestFinished(() => places.close());
    return places;
  };
  const migrated = async (options?: PostgresOptions): Promise<PostgresRepos> => {
    const places = await open(options);
    await places.migrate();
    return places;
  };

  test('creates no table when it opens', async () => {
    const places = await open();
    const calls = [
      () => places.createRepo({ did: newDid() }),
      () => places.openRepo(newDid()),
      () => places.listRepos(),
      () => places.deleteRepo(newDid()),
      () => places.sweep(),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        code: 'UnknownVersion',
        message: expect.stringContaining('migrate()'),
      });
    }
    await places.migrate();
    expect(await places.listRepos()).toEqual([]);
  });

  test('lists accounts in pages, with their heads', async () => {
    const places = await migrated();
    const dids = Array.from({ length: 25 }, (_, n) => `did:web:account-${n}.example.com`);
    for (const did of dids) {
      await places.createRepo({ did, signer: KEY });
    }
    const repo = await places.openRepo(dids[7]!, { signer: KEY });
    const { commit } = await repo.put(POST, 'one', post('one'));
    const found: string[] = [];
    for (let after: string | undefined; ; after = found.at(-1)) {
      const page = await places.listRepos({ after, limit: 10 });
      found.push(...page.map(({ did }) => did));
      expect(page.filter(({ head }) => head !== undefined).map(({ did, head }) => [did, String(head)])).toEqual(
        page.some(({ did }) => did === dids[7]) ? [[dids[7], String(commit.cid)]] : [],
      );
      if (page.length < 10) {
        break;
      }
    }
    expect(found).toEqual([...dids].sort());
  });

  test('deletes an account, also while it is open', async () => {
    const places = await migrated();
    const [did, other] = [newDid(), newDid()];
    const repo = await places.createRepo({ did, signer: KEY });
    const kept = await places.createRepo({ did: other, signer: KEY });
    for (const one of [repo, kept]) {
      await one.put(POST, 'one', post('one'));
      await one.putBlob(new Uint8Array(10));
    }
    expect(await places.deleteRepo(did)).toBe(true);
    expect(await places.deleteRepo(did)).toBe(false);
    await expect(repo.put(POST, 'two', post('two'))).rejects.toMatchObject({ code: 'RepoNotFound' });
    await expect(places.openRepo(did)).rejects.toMatchObject({ code: 'RepoNotFound' });
    expect(await kept.verify()).toMatchObject({ ok: true });
    expect((await kept.info()).blobs).toBe(1);
    await (await places.createRepo({ did, signer: KEY })).put(POST, 'three', post('three'));
    expect((await places.listRepos()).map(({ did: found }) => found)).toEqual([did, other].sort());
  });

  test('closing closes the repositories that it opened, and a closed repository leaves the others open', async () => {
    const places = await migrated();
    const [first, second] = [
      await places.createRepo({ did: newDid(), signer: KEY }),
      await places.createRepo({ did: newDid() }),
    ];
    await second.close();
    const written = first.put(POST, 'one', post('one'));
    await places.close();
    await written;
    await expect(first.head()).rejects.toMatchObject({ code: 'Closed' });
    await expect(places.listRepos()).rejects.toMatchObject({ code: 'Closed' });
    await places.close();
  });

  test('keeps blobs in another store', async () => {
    const stores = new Map<string, MemoryBlobStore>();
    const places = await migrated({
      blobs: (did) => {
        const store = new MemoryBlobStore();
        stores.set(did, store);
        return store;
      },
    });
    const did = newDid();
    const repo = await places.createRepo({ did, signer: KEY });
    const { ref } = await repo.putBlob(new Uint8Array([1, 2, 3]));
    expect((await stores.get(did)!.get(ref))?.size).toBe(3);
  });

  test('schemas are independent', async () => {
    const [first, second] = [await migrated(), await migrated()];
    const did = newDid();
    await first.createRepo({ did });
    await expect(second.openRepo(did)).rejects.toMatchObject({ code: 'RepoNotFound' });
    await expect(first.createRepo({ did })).rejects.toMatchObject({ code: 'RepoExists' });
    const opened = await first.openOrCreateRepo({ did });
    expect(opened.did).toBe(did);
  });

  test('refuses options and arguments that are not valid', async () => {
    for (const options of [
      { schema: 'A b' },
      { lockTimeoutMs: -1 },
      { statementTimeoutMs: Number.NaN },
      { idleTimeoutMs: 1.5 },
      { readers: 0 },
      { writers: 1.5 },
    ]) {
      await expect(openPostgres(inject('postgresUrl'), options)).rejects.toThrow(TypeError);
    }
    const places = await migrated();
    await expect(places.listRepos({ limit: 0 })).rejects.toThrow(TypeError);
    await expect(places.sweep({ olderThanMs: -1 })).rejects.toThrow(TypeError);
    await expect(places.createRepo({ did: 'alice' })).rejects.toMatchObject({ code: 'InvalidDid' });
  });

  test('a server that does not respond is StorageFailed', async () => {
    const places = await openPostgres('postgres://pdsdb@127.0.0.1:1/none');
    await expect(places.migrate()).rejects.toMatchObject({
      code: 'StorageFailed',
      message: expect.stringContaining('check the server'),
    });
    await places.close();
  });
});
