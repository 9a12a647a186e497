/** Garbage collection during writes. */
import { expect, test } from 'vitest';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { listOf } from '../../../../src/core/data/list-of.ts';
import { DID, POST, post } from '../../../../src/testing/repo/harness.ts';

const newRepo = (): Repo => repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });

test('a blob that a write mentions, asked for while garbage is collected, stays', async () => {
  const repo = newRepo();
  await repo.put(POST, 'a', post('a'));
  const image = await repo.putBlob(new Uint8Array([1]));
  const orphan = await repo.putBlob(new Uint8Array([2]));
  const [gone] = await Promise.all([
    repo.gc({ blobs: true, blobAge: 0 }),
    repo.put(POST, 'b', { ...post('b'), image }),
  ]);
  expect(gone.blobs).toBe(1);
  expect((await listOf(repo.blobs())).map(({ cid }) => String(cid))).toEqual([String(image.ref)]);
  expect(await repo.getBlob(orphan.ref)).toBeUndefined();
  expect(await listOf(repo.missingBlobs())).toEqual([]);
});

test('a blob that only the state before such a write mentions stays, too: that state can still be checked out', async () => {
  const repo = newRepo();
  const image = await repo.putBlob(new Uint8Array([1]));
  const { commit } = await repo.put(POST, 'a', { ...post('a'), image });
  const [gone] = await Promise.all([repo.gc({ blobs: true, blobAge: 0 }), repo.delete(POST, 'a')]);
  expect(gone.blobs).toBe(0);
  expect(await (await repo.checkout(commit.cid)).get(POST, 'a')).toBeDefined();
  expect(await repo.getBlob(image.ref)).toBeDefined();
});
