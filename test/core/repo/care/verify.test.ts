/** A check of everything is watched to its end. */
import { expect, test } from 'vitest';
import { MAX_REPORTED } from '../../../../src/core/data/bounded-list.ts';
import type { CID } from '../../../../src/core/data/cid.ts';
import type { HashAll } from '../../../../src/core/data/sha256.ts';
import { hashAll } from '../../../../src/core/data/sha256.ts';
import type { Progress } from '../../../../src/core/repo/long-work.ts';
import { verifyTree } from '../../../../src/core/mst/verify.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { DID, POST, creates, post, rkeyOf } from '../../../../src/testing/repo/harness.ts';

const watched = async (repo: Repo): Promise<Progress[]> => {
  const told: Progress[] = [];
  await repo.verify({ onProgress: (progress) => told.push(progress) });
  return told;
};

test('verify calls onProgress at its end, also in an empty repository', async () => {
  const repo = repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  expect(await watched(repo)).toEqual([{ phase: 'verify', bytes: 0, blocks: 0, records: 0 }]);
  await repo.write(creates(3));
  const { blocks } = await repo.info();
  expect((await watched(repo)).at(-1)).toMatchObject({ blocks, records: 3 });
});

test('verify hashes each block once, and many at a time', async () => {
  let blocks = 0;
  let calls = 0;
  const counting: HashAll = (messages) => {
    const count = messages.filter((message) => typeof message !== 'string').length;
    blocks += count;
    calls += count > 0 ? 1 : 0;
    return hashAll(messages);
  };
  const store = new MemoryBlockStore(DID);
  const repo = repoOver({ did: DID, store, blobs: new MemoryBlobStore(), hashAll: counting });
  await repo.write(creates(300));
  for (let n = 0; n < 5; n++) {
    await repo.put(POST, rkeyOf(n), post(`changed ${n}`));
  }
  await repo.setRef('branch', 'main');
  [blocks, calls] = [0, 0];
  expect((await repo.verify()).ok).toBe(true);
  // The tree of the head is built again from its keys, and those nodes are hashed for that.
  const { nodes } = await verifyTree(store, (await repo.head())!.data);
  expect(blocks).toBe((await store.count()) + nodes);
  expect(calls).toBeLessThan(blocks / 10);
});

test('a report lists a thousand faults and counts the rest', async () => {
  const store = new MemoryBlockStore(DID);
  const repo = repoOver({ did: DID, store, blobs: new MemoryBlobStore() });
  await repo.write(creates(1500));
  const records: CID[] = [];
  for await (const { cid } of repo.list(POST)) {
    records.push(cid);
  }
  await store.transact((change) => change.remove(records));
  const { ok, faults, faultCount } = await repo.verify();
  expect([ok, faults.length, faultCount]).toEqual([false, MAX_REPORTED, 1500]);
  const { whole, lost, lostCount, stepCount } = await repo.repair();
  expect([whole, lost.length, lostCount, stepCount]).toEqual([false, MAX_REPORTED, 1500, 0]);
});
