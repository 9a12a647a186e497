/** Concurrent writes share the sync of the WAL. The syncs are those that SQLite asks the files for. */
import { expect, test } from 'vitest';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import { DID, KEY, POST, post, rkeyOf } from '../../../src/testing/repo/harness.ts';
import { createStore } from './open-store.ts';

/** Opens a repository and makes a commit. `syncs` returns the syncs of its WAL since then. */
const open = async () => {
  const files = new MemoryFiles();
  const repo = repoOver({ did: DID, signer: KEY, store: await createStore(files), blobs: new MemoryBlobStore() });
  await put(repo, 0);
  const before = files.wal.counts.flushes;
  return { repo, syncs: () => files.wal.counts.flushes - before };
};

const put = (repo: Repo, i: number) => repo.put(POST, rkeyOf(i), post(`post ${i}`));

test('a hundred concurrent puts make a hundred commits with at most three syncs', async () => {
  const { repo, syncs } = await open();
  const puts = await Promise.all(Array.from({ length: 100 }, (_, i) => put(repo, i + 1)));
  expect(syncs()).toBeLessThanOrEqual(3);
  expect(new Set(puts.map(({ commit }) => commit.rev)).size).toBe(100);
  expect((await repo.info()).commits).toBe(101);
  await repo.close();
});

test('a write that waits for the one before has its own sync', async () => {
  const { repo, syncs } = await open();
  for (let i = 1; i <= 10; i++) {
    await put(repo, i);
  }
  expect(syncs()).toBe(10);
  await repo.close();
});

test('a failed write among them makes no sync of its own, and a failed write alone makes none', async () => {
  const { repo, syncs } = await open();
  const create = () => repo.create(POST, post('again'), { rkey: rkeyOf(0) });
  await expect(create()).rejects.toMatchObject({ code: 'RecordExists' });
  expect(syncs()).toBe(0);
  const ends = await Promise.allSettled([put(repo, 1), create(), put(repo, 2)]);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(syncs()).toBe(1);
  await repo.close();
});
