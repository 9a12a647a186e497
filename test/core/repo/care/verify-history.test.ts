/** `verify` of a long history reads each block a fixed number of times, however many commits share it. */
import { expect, test } from 'vitest';
import { cidToText } from '../../../../src/core/data/cid.ts';
import type { CidLike } from '../../../../src/core/data/cid.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { listOf } from '../../../../src/core/data/list-of.ts';
import { DID, KEY, POST, creates, post, rkeyOf } from '../../../../src/testing/repo/harness.ts';

class CountingStore extends MemoryBlockStore {
  readonly reads = new Map<string, number>();

  #count(cids: readonly CidLike[]): void {
    for (const cid of cids) {
      const text = cidToText(cid);
      this.reads.set(text, (this.reads.get(text) ?? 0) + 1);
    }
  }

  override get(cid: CidLike) {
    this.#count([cid]);
    return super.get(cid);
  }

  override getMany(cids: readonly CidLike[]) {
    this.#count(cids);
    return super.getMany(cids);
  }
}

test('verify of 150 commits reads each node and record for its hash, and once more', async () => {
  const store = new CountingStore();
  await using repo = repoOver({ did: DID, signer: KEY, store, blobs: new MemoryBlobStore() });
  await repo.write(creates(500));
  for (let i = 0; i < 150; i++) {
    await repo.put(POST, rkeyOf((i * 37) % 500), post(`changed ${i}`));
  }
  const commits = new Set((await listOf(repo.log())).map(({ cid }) => cidToText(cid)));
  store.reads.clear();
  expect((await repo.verify()).ok).toBe(true);
  const others = [...store.reads].filter(([cid]) => !commits.has(cid)).map(([, count]) => count);
  expect(others.length).toBeGreaterThan(900);
  expect(Math.max(...others)).toBe(2);
});
