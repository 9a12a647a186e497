/** Test cases of every repository: branches. */
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import { DID, KEY, LIKE, POST, creates, over, post, rkeyOf } from './harness.ts';
import { assertCared } from './line-cases.ts';

export const repoBranchCases: readonly Case<RepoHarness>[] = [
  over('a branch begins with its first write, at the head, and the head stays', async (repo) => {
    const { cid } = await repo.write(creates(3));
    const branch = repo.branch('draft');
    assertEqual(
      [await branch.head(), await branch.base(), await branch.discard()],
      [undefined, undefined, false],
      'none',
    );
    assertEqual((await branch.get(POST, rkeyOf(1)))?.value.text, 'post 1', 'until then it shows the head');
    await branch.put(POST, 'mine', post('mine'));
    await branch.write([{ action: 'update', collection: POST, rkey: rkeyOf(0), value: post('changed') }]);
    await branch.delete(POST, rkeyOf(1));
    assertEqual(await branch.delete(POST, rkeyOf(1)), undefined, 'an absent record');
    assertEqual(String((await repo.head())?.cid), String(cid), 'the head');
    assertEqual(String((await branch.base())?.cid), String(cid), 'the base');
    assertEqual((await branch.head())?.signed, false, 'signed');
    assertEqual(
      (await listOf(branch.diff())).map(({ action, rkey }) => `${action} ${rkey}`),
      [`update ${rkeyOf(0)}`, `delete ${rkeyOf(1)}`, 'create mine'],
      'the diff',
    );
    assertEqual(
      (await listOf(branch.list(POST))).map(({ rkey }) => rkey),
      [rkeyOf(0), rkeyOf(2), 'mine'],
      'list',
    );
    assertEqual((await listOf(branch.entries())).length, 3, 'entries');
    assertEqual(
      (await branch.collections()).map(({ count }) => count),
      [3],
      'collections',
    );
    assertEqual((await listOf(repo.log())).length, 1, 'the log');
    await assertCared(repo);
    assertEqual((await branch.get(POST, 'mine'))?.value.text, 'mine', 'after gc');
  }),

  over('a branch does not change when the head moves, and discard removes it', async (repo, harness) => {
    await repo.write(creates(2));
    const branch = repo.branch('draft');
    await branch.put(POST, 'mine', post('mine'));
    await repo.put(POST, 'later', post('later'));
    assertEqual(await branch.get(POST, 'later'), undefined, 'a later record');
    const copy = await harness.other().create({ did: DID, signer: KEY });
    await copy.importCar(repo.exportCar());
    assertEqual(await copy.get(POST, 'mine'), undefined, 'an export has the head alone');
    await copy.close();
    assertEqual(await (await repo.checkout('draft')).get(POST, 'later'), undefined, 'checkout');
    assert((await repo.verify({ at: 'draft' })).ok, 'verify of the branch');
    assertEqual(await branch.discard(), true, 'discard');
    assertEqual([...(await repo.refs()).keys()], ['main'], 'refs');
    await assertCared(repo);
  }),

  over('a branch needs no head and no signer', async (repo) => {
    const branch = repo.branch('draft');
    await branch.put(LIKE, 'a', { subject: 'x' });
    assertEqual(await repo.head(), undefined, 'the head');
    assertEqual((await listOf(branch.diff())).length, 1, 'the diff');
    await repo.write(creates(1));
    await assertCared(repo);
    assertEqual((await branch.get(LIKE, 'a'))?.value.subject, 'x', 'the record');
    assertEqual((await listOf(repo.log())).length, 1, 'the log');
  }),

  over('a branch has its own refs, and its writes have guards', async (repo) => {
    const { cid, rev } = await repo.write(creates(1));
    await repo.setRef('tag', rev);
    await assertRejects(() => repo.branch('tag').put(POST, 'a', post('a')), 'InvalidRef', 'a ref that is not a branch');
    for (const name of ['main', 'x.base', '', 'a/b', rev]) {
      await assertRejects(() => repo.branch(name), 'InvalidRef', `the name ${name}`);
    }
    const branch = repo.branch('draft');
    const first = await branch.put(POST, 'a', post('a'), { swapCommit: null });
    await assertRejects(() => branch.write([], { swapCommit: cid }), 'InvalidSwap', 'the head of the repository');
    await branch.write([], { swapCommit: first.commit.cid });
    await assertRejects(() => repo.setRef('draft', rev), 'InvalidRef', 'setRef');
    await assertRejects(() => repo.removeRef('draft'), 'InvalidRef', 'removeRef');
    await assertRejects(
      () => branch.write([{ action: 'create', collection: POST, rkey: 'a', value: post('b') }]),
      'RecordExists',
      'create',
    );
    await assertCared(repo);
  }),
];
