/** Trees of states that lost blocks in other ways than by garbage collection. */
import { expect, test } from 'vitest';
import type { CID } from '../../../../src/core/data/cid.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import type { Repo, Tree } from '../../../../src/core/repo/repo.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { BlockStore } from '../../../../src/core/storage/ports.ts';
import { listOf } from '../../../../src/core/data/list-of.ts';
import { DID, POST, creates, post, rkeyOf } from '../../../../src/testing/repo/harness.ts';

/** Replaces the bytes of a stored block. */
const damage = async (store: BlockStore, cid: CID): Promise<void> => {
  const bytes = (await store.get(cid))!;
  await store.transact((change) => change.remove([cid]));
  await store.transact((change) => change.put([{ cid, bytes: bytes.map((byte) => byte ^ 1) }]));
};

/** A repository of two commits, and an edited tree of the first one. The second commit lacks a record of the first. */
const editEarlier = async (): Promise<{ store: BlockStore; repo: Repo; rev: string; tree: Tree; lost: CID }> => {
  const store = new MemoryBlockStore();
  const repo = repoOver({ did: DID, store, blobs: new MemoryBlobStore() });
  const { rev, results } = await repo.write(creates(5));
  await repo.write([{ action: 'update', collection: POST, rkey: rkeyOf(2), value: post('changed') }]);
  const tree = await (await repo.checkout(rev)).put(POST, 'mine', post('mine'));
  return { store, repo, rev, tree, lost: results[2]!.cid! };
};

test('a tree whose base lost a record by a repair is refused, and its base is no longer listed', async () => {
  const { store, repo, rev, tree, lost } = await editEarlier();
  await damage(store, lost);
  await expect(repo.commit(tree)).rejects.toMatchObject({ name: 'RepoError', code: 'Corrupt' });
  await expect(repo.reset(rev)).rejects.toMatchObject({ name: 'RepoError', code: 'Corrupt' });
  await repo.repair();
  await expect(repo.commit(tree)).rejects.toMatchObject({ name: 'RepoError', code: 'BlockNotFound' });
  await expect(repo.checkout(rev)).rejects.toMatchObject({ name: 'RepoError', code: 'RefNotFound' });
  expect((await listOf(repo.list(POST))).length).toBe(5);
  expect((await repo.repair()).whole).toBe(true);
});

test('a tree whose base lost a record is refused, though the list of commits has the base', async () => {
  const { store, repo, rev, tree, lost } = await editEarlier();
  await store.transact((change) => change.remove([lost]));
  await expect(repo.commit(tree)).rejects.toMatchObject({ name: 'RepoError', code: 'BlockNotFound' });
  const again = await (await repo.checkout(rev)).put(POST, 'mine', post('mine'));
  await expect(repo.commit(again)).rejects.toMatchObject({ name: 'RepoError', code: 'BlockNotFound' });
  expect((await listOf(repo.list(POST))).length).toBe(5);
});
