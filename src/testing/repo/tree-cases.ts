/** Test cases of every repository: committing a tree after blocks were removed. */
import { readAll } from '../../core/data/streams.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, POST, creates, describe, over, post, rkeyOf } from './harness.ts';

const COUNT = 60;

/** Asserts that reads and repairs find the repository complete. */
const assertSound = async (repo: Repo): Promise<void> => {
  await listOf(repo.list(POST));
  await readAll(repo.exportCar());
  const { ok, faults } = await repo.verify();
  assert(ok, `verify: ${faults[0]?.message}`);
  const { whole, steps } = await repo.repair();
  assertEqual([whole, steps.length], [true, 0], 'repair');
};

const replaceAll = async (repo: Repo): Promise<void> => {
  await repo.write(
    Array.from({ length: COUNT }, (_, i) => ({
      action: 'update' as const,
      collection: POST,
      rkey: rkeyOf(i),
      value: post(`changed ${i}`),
    })),
  );
};

export const repoTreeCases: readonly Case<RepoHarness>[] = [
  over('a tree of a state that gc has removed is refused, and nothing changes', async (repo) => {
    const { rev } = await repo.write(creates(COUNT));
    await replaceAll(repo);
    const tree = await (await repo.checkout(rev)).put(POST, 'mine', post('mine'));
    await repo.gc(AT_ONCE);
    const before = await describe(repo);
    await assertRejects(() => repo.commit(tree), 'BlockNotFound', 'commit');
    assertEqual(await describe(repo), before, 'the repository');
    await repo.gc(AT_ONCE);
    await assertSound(repo);
    const again = await (await repo.checkout()).put(POST, 'mine', post('mine'));
    await repo.commit(again);
    assertEqual((await repo.get(POST, 'mine'))?.value.text, 'mine', 'checked out again');
    await assertSound(repo);
  }),

  over('a tree of a kept older state is accepted after gc', async (repo) => {
    const { rev } = await repo.write(creates(COUNT));
    await replaceAll(repo);
    await repo.setRef('before', rev);
    const [byRev, byRef] = [await repo.checkout(rev), await repo.checkout('before')];
    await repo.gc(AT_ONCE);
    await repo.commit(await byRev.put(POST, 'mine', post('mine')));
    assertEqual((await repo.get(POST, rkeyOf(0)))?.value.text, 'post 0', 'the old state is the head');
    await assertSound(repo);
    await assertRejects(() => repo.commit(byRef), 'InvalidSwap', 'the head has moved since');
  }),

  over('a tree of the head is accepted after gc, also an edited one', async (repo) => {
    await repo.write(creates(COUNT));
    await replaceAll(repo);
    const tree = await (await repo.checkout()).put(POST, 'mine', post('mine'));
    await repo.gc(AT_ONCE);
    await repo.commit(await tree.delete(POST, rkeyOf(1)));
    assertEqual((await repo.info()).records, COUNT, 'records');
    await assertSound(repo);
  }),

  over('a tree whose ref was removed is accepted until gc removes its blocks', async (repo) => {
    const { cid, rev } = await repo.write(creates(COUNT));
    await repo.setRef('before', rev);
    await replaceAll(repo);
    await repo.gc(AT_ONCE);
    const tree = await (await repo.checkout('before')).put(POST, 'mine', post('mine'));
    await repo.removeRef('before');
    await repo.gc(AT_ONCE);
    await assertRejects(() => repo.commit(tree), 'BlockNotFound', 'commit');
    await assertRejects(() => repo.checkout(cid), 'RefNotFound', 'checkout');
    await assertSound(repo);
  }),

  over('a tree has its commit and its head', async (repo) => {
    const none = await repo.checkout();
    assertEqual([none.base, none.head], [undefined, undefined], 'before the first commit');
    const first = await repo.write(creates(1));
    const second = await repo.write(creates(1, 1));
    const tree = await (await repo.checkout(first.rev)).put(POST, 'mine', post('mine'));
    assertEqual([String(tree.base), String(tree.head)], [String(first.cid), String(second.cid)], 'base and head');
  }),
];
