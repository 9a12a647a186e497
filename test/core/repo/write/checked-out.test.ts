/** Trees of states that lost blocks in other ways than by garbage collection. */
import { expect, test } from 'vitest';
import type { Bytes } from '../../../../src/core/data/bytes.ts';
import type { CidLike } from '../../../../src/core/data/cid.ts';
import { cidToText } from '../../../../src/core/data/cid.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import { listOf } from '../../../../src/testing/storage/block-store-harness.ts';
import { DID, POST, creates, post, rkeyOf } from '../../../../src/testing/repo/harness.ts';

/** A store in which some blocks read as other bytes, until they are removed. */
class DamagedStore extends MemoryBlockStore {
  readonly damaged = new Set<string>();

  override async get(cid: CidLike): Promise<Bytes | undefined> {
    return this.#seen(cid, await super.get(cid));
  }

  override async getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    return (await super.getMany(cids)).map((bytes, i) => this.#seen(cids[i]!, bytes));
  }

  #seen(cid: CidLike, bytes: Bytes | undefined): Bytes | undefined {
    return bytes !== undefined && this.damaged.has(cidToText(cid)) ? bytes.map((byte) => byte ^ 1) : bytes;
  }
}

test('a tree whose base lost a record by a repair is refused, though the list of commits has the base', async () => {
  const store = new DamagedStore();
  const repo = repoOver({ did: DID, store, blobs: new MemoryBlobStore() });
  const { rev, results } = await repo.write(creates(5));
  await repo.write([{ action: 'update', collection: POST, rkey: rkeyOf(2), value: post('changed') }]);
  const tree = await (await repo.checkout(rev)).put(POST, 'mine', post('mine'));
  store.damaged.add(String(results[2]!.cid));
  await repo.repair();
  await expect(repo.commit(tree)).rejects.toMatchObject({ name: 'RepoError', code: 'BlockNotFound' });
  const again = await (await repo.checkout(rev)).put(POST, 'mine', post('mine'));
  await expect(repo.commit(again)).rejects.toMatchObject({ name: 'RepoError', code: 'BlockNotFound' });
  expect((await listOf(repo.list(POST))).length).toBe(5);
  expect((await repo.repair()).whole).toBe(true);
});
