/** Blocks that are read together with the head: they are checked as all others, and hide no change. */
import { describe, expect, test } from 'vitest';
import { keyOfCid } from '../../src/adapters/postgres/ordered-cid.ts';
import type { CID, CidBytes } from '../../src/core/data/cid.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { openPostgres } from '../../src/postgres.ts';
import { KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { newDid } from './connect.ts';
import { useDatabase } from './database.ts';
import { lacksPostgres, why } from './postgres-test.ts';

describe.skipIf(lacksPostgres)(`a preloaded repository${why}`, () => {
  const database = useDatabase();

  /** Makes a repository of ten records. Returns functions that open it again and change its blocks. */
  const prepare = async (text = '') => {
    const { client, names } = database;
    const schema = names.schema.replaceAll('"', '');
    const places = await openPostgres({ ...client, close: async () => undefined }, { schema });
    const did = newDid();
    const made = await places.createRepo({ did, signer: KEY });
    const { results, cid: head } = await made.write(
      Array.from({ length: 10 }, (_, i) => ({
        action: 'create' as const,
        collection: POST,
        rkey: `r${i}`,
        value: { ...post(`${i}`), text: `${i} ${text}` },
      })),
    );
    const repoId = `(select id from ${names.repos} where did = $1::text)`;
    return {
      did,
      head,
      records: results.map(({ cid }) => cid!),
      open: (): Promise<Repo> => places.openRepo(did, { signer: KEY }),
      setBytes: (cid: CID, bytes: Uint8Array) =>
        client.query(`update ${names.blocks} set bytes = $2::bytea where repo = ${repoId} and key = $3::bytea`, [
          did,
          bytes,
          keyOfCid(cid.bytes as CidBytes),
        ]),
      remove: (cid: CID) =>
        client.query(`delete from ${names.blocks} where repo = ${repoId} and key = $2::bytea`, [
          did,
          keyOfCid(cid.bytes as CidBytes),
        ]),
      addKey: (key: Uint8Array) =>
        client.query(
          `insert into ${names.blocks} (repo, key, bytes) select id, $2::bytea, ''::bytea from ${names.repos} where did = $1::text`,
          [did, key],
        ),
    };
  };

  test('with a damaged block: the read of that block is Corrupt, and others succeed', async () => {
    const { open, records, setBytes } = await prepare();
    await setBytes(records[3]!, new Uint8Array([1]));
    const repo = await open();
    await expect(repo.get(POST, 'r3')).rejects.toMatchObject({ code: 'Corrupt' });
    expect((await repo.get(POST, 'r4'))?.cid.toString()).toBe(String(records[4]));
  });

  test('with a missing or damaged commit', async () => {
    const { open, head, setBytes, remove } = await prepare();
    await setBytes(head, new Uint8Array([1]));
    await expect((await open()).get(POST, 'r0')).rejects.toMatchObject({ code: 'Corrupt' });
    await expect((await open()).put(POST, 'r0', post('again'))).rejects.toMatchObject({ code: 'Corrupt' });
    await remove(head);
    await expect((await open()).get(POST, 'r0')).rejects.toMatchObject({ code: 'BlockNotFound' });
  });

  test('with a row whose key is not a CID: the records are read, and lists of all blocks are Corrupt', async () => {
    const { open, addKey } = await prepare();
    await addKey(new Uint8Array(36));
    const repo = await open();
    expect(await listOf(repo.list(POST))).toHaveLength(10);
    expect((await repo.verify()).faults[0]).toMatchObject({
      code: 'Corrupt',
      message: expect.stringContaining('not a CID'),
    });
  });

  test('verify reads what is stored now', async () => {
    const { open, records, setBytes, remove } = await prepare();
    const repo = await open();
    await repo.get(POST, 'r0');
    await setBytes(records[3]!, new Uint8Array([1]));
    await remove(records[4]!);
    const { faults } = await repo.verify();
    expect(faults.map(({ code, path }) => [code, path])).toEqual([
      ['Corrupt', undefined],
      ['BlockNotFound', `${POST}/r4`],
    ]);
  });

  test('reads see the changes of another owner', async () => {
    const { open, records } = await prepare();
    const [repo, other] = [await open(), await open()];
    await repo.get(POST, 'r0');
    await other.put(POST, 'r5', post('changed'));
    await other.delete(POST, 'r6');
    await other.gc({ keep: 1 });
    expect((await repo.get(POST, 'r5'))?.value).toMatchObject({ text: 'changed' });
    expect(await repo.get(POST, 'r6')).toBeUndefined();
    expect((await repo.get(POST, 'r7'))?.cid.toString()).toBe(String(records[7]));
    await repo.put(POST, 'r8', post('also changed'));
    expect((await other.get(POST, 'r8'))?.value).toMatchObject({ text: 'also changed' });
    expect(await listOf(other.list(POST))).toHaveLength(9);
    expect(await repo.verify({ key: KEY.did() })).toMatchObject({ ok: true, signature: 'valid' });
  });

  test('of more than a mebibyte is read block by block', async () => {
    const { open } = await prepare('long '.repeat(40_000));
    const repo = await open();
    expect((await repo.get(POST, 'r5'))?.value).toMatchObject({ text: expect.stringMatching(/^5 long/) });
    expect(await listOf(repo.list(POST))).toHaveLength(10);
    await repo.put(POST, 'r10', post('10'));
    expect(await repo.verify({ key: KEY.did() })).toMatchObject({ ok: true, records: 11 });
  });
});
