/** `get` and `getMany` read a record once from the store, and return a copy of the bytes each time. */
import { expect, test } from 'vitest';
import type { CidBytes, CidLike } from '../../../../src/core/data/cid.ts';
import { CacheBudget } from '../../../../src/core/blocks/cid-cache.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import { createNodeReader } from '../../../../src/core/mst/node-reader.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { DID, KEY, POST, creates, post, rkeyOf } from '../../../../src/testing/repo/harness.ts';

class CountingStore extends MemoryBlockStore {
  reads = 0;
  batches = 0;

  override get(cid: CidLike) {
    this.reads += 1;
    return super.get(cid);
  }

  override getMany(cids: readonly CidLike[]) {
    this.batches += 1;
    return super.getMany(cids);
  }
}

const setUp = async (records: number, cacheBudget?: CacheBudget) => {
  const store = new CountingStore();
  const repo = repoOver({ did: DID, signer: KEY, store, blobs: new MemoryBlobStore(), cacheBudget });
  await repo.write(creates(records));
  return { repo, store };
};

/** Returns how often `run` reads the store. */
const readsOf = async (store: CountingStore, run: () => Promise<unknown>): Promise<number> => {
  store.reads = 0;
  await run();
  return store.reads;
};

test('a record is read once, also after commits of other records', async () => {
  const { repo, store } = await setUp(100);
  await repo.get(POST, rkeyOf(7));
  expect(await readsOf(store, () => repo.get(POST, rkeyOf(7)))).toBe(0);
  await repo.put(POST, rkeyOf(8), post('changed'));
  await repo.get(POST, rkeyOf(9));
  expect(await readsOf(store, () => repo.get(POST, rkeyOf(7)))).toBe(0);
});

test('a changed record has its new value', async () => {
  const { repo } = await setUp(10);
  await repo.get(POST, rkeyOf(1));
  await repo.put(POST, rkeyOf(1), post('changed'));
  expect((await repo.get(POST, rkeyOf(1)))?.value).toEqual(post('changed'));
  await repo.delete(POST, rkeyOf(1));
  expect(await repo.get(POST, rkeyOf(1))).toBeUndefined();
});

test('bytes that the caller changes do not reach the next caller', async () => {
  const { repo } = await setUp(10);
  const [first, second] = [await repo.get(POST, rkeyOf(1)), await repo.get(POST, rkeyOf(1))];
  const bytes = first!.bytes.slice();
  first!.bytes.fill(0);
  second!.bytes.fill(1);
  expect((await repo.get(POST, rkeyOf(1)))?.bytes).toEqual(bytes);
});

test('a record above 16 KiB, and one beyond the budget, is read again', async () => {
  const { repo, store } = await setUp(2);
  await repo.put(POST, 'large', post('x'.repeat(17_000)));
  await repo.get(POST, 'large');
  expect(await readsOf(store, () => repo.get(POST, 'large'))).toBe(1);
  const without = await setUp(2, new CacheBudget(0));
  await without.repo.get(POST, rkeyOf(1));
  expect(await readsOf(without.store, () => without.repo.get(POST, rkeyOf(1)))).toBeGreaterThan(0);
});

test('after a repair, a removed block is missing', async () => {
  const { repo, store } = await setUp(10);
  const found = await repo.get(POST, rkeyOf(1));
  await store.transact((change) => change.remove([found!.cid]));
  expect((await repo.get(POST, rkeyOf(1)))?.value).toEqual(found!.value);
  await repo.repair();
  await expect(repo.get(POST, rkeyOf(1))).rejects.toMatchObject({ code: 'BlockNotFound' });
});

test('getMany reads each level of the tree once, and all records together', async () => {
  const { store } = await setUp(500);
  const repo = repoOver({ did: DID, signer: KEY, store, blobs: new MemoryBlobStore() });
  const { data } = (await repo.head())!;
  const nodes = createNodeReader(store);
  const levels = (await nodes.node(data.bytes as CidBytes)).layer + 1;
  const paths = Array.from({ length: 500 }, (_, i) => `${POST}/${rkeyOf(i)}`);
  store.batches = 0;
  expect(await readsOf(store, () => repo.getMany(paths))).toBe(0);
  expect(store.batches).toBe(levels + 1);
  store.batches = 0;
  expect(await readsOf(store, () => repo.getMany(paths))).toBe(0);
  expect(store.batches).toBe(0);
  expect(await readsOf(store, () => repo.get(POST, rkeyOf(9)))).toBe(0);
});
