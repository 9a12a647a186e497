/** Repositories that are opened for reading, in Node. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAll } from '../../src/core/data/streams.ts';
import { createRepo, openRepo, restoreBackup, saveBackup } from '../../src/node.ts';
import {
  did,
  collect,
  key,
  killed,
  makeRepo,
  newFolder,
  POST,
  readEverything,
  signer,
  stateOf,
} from './read-everything.ts';

const code = (value: string): object => expect.objectContaining({ name: 'RepoError', code: value });

test('shows what the owner sees, and changes nothing in the folder', async () => {
  const folder = await makeRepo();
  const expected = await (async () => {
    await using repo = await openRepo(folder);
    return await readEverything(repo);
  })();
  const before = stateOf(folder);
  await using reader = await openRepo(folder, { readOnly: true });
  await using another = await openRepo(folder, { readOnly: true });
  expect(await readEverything(reader)).toEqual(expected);
  expect(await readEverything(another)).toEqual(expected);
  expect(expected).toMatchObject({ verify: { ok: true } });
  await reader.close();
  await another.close();
  expect(stateOf(folder)).toEqual(before);
  await expect(reader.get(POST, 'p1')).rejects.toEqual(code('Closed'));
});

test('writes reject with ReadOnly, and change nothing', async () => {
  const folder = await makeRepo();
  const before = stateOf(folder);
  await using repo = await openRepo(folder, { readOnly: true, signer });
  const car = await readAll(repo.exportCar());
  const branch = repo.branch('draft');
  const tree = await repo.checkout();
  for (const write of [
    () => repo.write([]),
    () => repo.put(POST, 'p1', { text: 'post 1' }),
    () => repo.restore(`${POST}/p1`, 'main'),
    () => repo.delete(POST, 'nothing'),
    () => repo.commit(tree),
    () => repo.reset('main'),
    () => repo.recommit({ rev: 'now' }),
    () => repo.setRef('other', 'main'),
    () => repo.removeRef('nothing'),
    () => repo.importCar(car),
    () => repo.putBlob(new Uint8Array(1)),
    () => repo.repair({ dryRun: true }),
    () => repo.gc(),
    () => repo.meta.set('app:cursor', undefined),
    () => branch.put(POST, 'd', { text: 'draft' }),
    () => branch.delete(POST, 'nothing'),
    () => branch.write([]),
    () => branch.discard(),
  ]) {
    await expect(write(), String(write)).rejects.toEqual(code('ReadOnly'));
  }
  expect(stateOf(folder)).toEqual(before);
});

test('a backup of it is complete', async () => {
  const folder = await killed();
  const backup = newFolder();
  await using repo = await openRepo(folder, { readOnly: true });
  await saveBackup(repo, backup);
  const restored = newFolder();
  await restoreBackup(backup, restored);
  await using other = await openRepo(restored);
  expect((await other.verify({ key: key })).ok).toBe(true);
  expect(await collect(other.list(POST))).toEqual(await collect(repo.list(POST)));
});

describe('while a writer has it open', () => {
  test('opening is Locked, or waits', async () => {
    const folder = await makeRepo();
    const owner = await openRepo(folder);
    await expect(openRepo(folder, { readOnly: true })).rejects.toEqual(code('Locked'));
    const waiting = openRepo(folder, { readOnly: true, waitMs: 30_000 });
    await owner.put(POST, 'new', { text: 'new' }, { signer });
    await owner.close();
    await using reader = await waiting;
    expect(await reader.get(POST, 'new')).toMatchObject({ value: { text: 'new' } });
  });

  test('reads are Locked, and show the new records after the owner has closed', async () => {
    const folder = await makeRepo();
    await using reader = await openRepo(folder, { readOnly: true });
    const before = await reader.head();
    const owner = await openRepo(folder, { signer });
    for (const read of [
      () => reader.head(),
      () => reader.get(POST, 'p1'),
      () => collect(reader.list(POST)),
      () => collect(reader.log()),
      () => reader.verify(),
      () => readAll(reader.exportCar()),
    ]) {
      await expect(read(), String(read)).rejects.toEqual(code('Locked'));
    }
    const { commit } = await owner.put(POST, 'p1', { text: 'changed' });
    await owner.close();
    expect(await reader.get(POST, 'p1')).toMatchObject({ value: { text: 'changed' } });
    expect((await reader.head())?.cid).toEqual(commit.cid);
    expect(commit.cid).not.toEqual(before?.cid);
    expect((await reader.verify({ key: key })).ok).toBe(true);
  });

  test('a reader with waitMs continues', async () => {
    const folder = await makeRepo();
    await using reader = await openRepo(folder, { readOnly: true, waitMs: 30_000 });
    const owner = await openRepo(folder, { signer });
    const read = reader.get(POST, 'late');
    await owner.put(POST, 'late', { text: 'late' });
    await owner.close();
    expect(await read).toMatchObject({ value: { text: 'late' } });
  });

  test('a list continues with the records of its state, or rejects', async () => {
    const folder = newFolder();
    {
      await using repo = await createRepo(folder, { did, signer });
      await repo.write(
        Array.from({ length: 2000 }, (_, i) => ({
          action: 'create' as const,
          collection: POST,
          rkey: `r${String(i).padStart(4, '0')}`,
          value: { n: 0 },
        })),
      );
    }
    await using reader = await openRepo(folder, { readOnly: true });
    const list = reader.list(POST)[Symbol.asyncIterator]();
    const first = (await list.next()).value as { rkey: string };
    {
      await using owner = await openRepo(folder, { signer });
      await owner.put(POST, 'r1999', { n: 1 });
    }
    const rest = await collect({ [Symbol.asyncIterator]: () => list });
    expect([first, ...rest].map(({ rkey }) => rkey)).toHaveLength(2000);
    expect(rest.at(-1)).toMatchObject({ rkey: 'r1999', value: { n: 0 } });

    const another = reader.list(POST)[Symbol.asyncIterator]();
    await another.next();
    {
      await using owner = await openRepo(folder, { signer });
      await owner.write(
        Array.from({ length: 2000 }, (_, i) => ({
          action: 'update' as const,
          collection: POST,
          rkey: `r${String(i).padStart(4, '0')}`,
          value: { n: i + 2 },
        })),
      );
      await owner.gc();
    }
    await expect(collect({ [Symbol.asyncIterator]: () => another })).rejects.toEqual(code('Locked'));
    expect(await reader.get(POST, 'r0001')).toMatchObject({ value: { n: 3 } });
  });

  test('a replaced repository is read; one of another account is not', async () => {
    const folder = await makeRepo();
    const backup = newFolder();
    {
      await using repo = await openRepo(folder, { signer });
      await saveBackup(repo, backup);
      await repo.put(POST, 'later', { text: 'later' });
    }
    await using reader = await openRepo(folder, { readOnly: true });
    expect(await reader.get(POST, 'later')).toBeDefined();
    await restoreBackup(backup, folder, { force: true });
    expect(await reader.get(POST, 'later')).toBeUndefined();
    expect(await collect(reader.list(POST))).toHaveLength(5);
    fs.rmSync(folder, { recursive: true });
    await expect(reader.get(POST, 'p1')).rejects.toEqual(code('RepoNotFound'));
    await (await createRepo(folder, { did: 'did:web:bob.example.com' })).close();
    await expect(reader.get(POST, 'p1')).rejects.toThrow(/another account/);
  });
});

test('a folder without a repository is refused as by an owner', async () => {
  const empty = newFolder();
  await expect(openRepo(empty, { readOnly: true })).rejects.toEqual(code('RepoNotFound'));
  fs.mkdirSync(empty);
  await expect(openRepo(empty, { readOnly: true })).rejects.toEqual(code('RepoNotFound'));
  fs.writeFileSync(join(empty, 'pds.db'), 'x'.repeat(10_000));
  await expect(openRepo(empty, { readOnly: true })).rejects.toEqual(code('Corrupt'));
  await expect(openRepo('', { readOnly: true })).rejects.toEqual(code('RepoNotFound'));
});
