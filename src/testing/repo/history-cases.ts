/** The contract of a repository about its log, differences between states, and branches that move to a new base. */
import type { CID } from '../../core/data/cid.ts';
import type { Tree } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, LIKE, POST, creates, over, post, rkeyOf } from './harness.ts';

const textsOf = (cids: readonly (CID | undefined)[]): string[] => cids.map(String);

export const repoHistoryCases: readonly Case<RepoHarness>[] = [
  over('log lists the commits that changed one record, and ends at its limit or begins at a ref', async (repo) => {
    const path = `${POST}/a`;
    const first = await repo.put(POST, 'a', post('1'), { message: 'the first' });
    await repo.write(creates(5));
    const second = await repo.put(POST, 'a', post('2'));
    await repo.put(POST, 'b', post('b'));
    const gone = (await repo.delete(POST, 'a'))!;
    const found = await listOf(repo.log({ path }));
    assertEqual(
      textsOf(found.map(({ cid }) => cid)),
      textsOf([gone.cid, second.commit.cid, first.commit.cid]),
      'commits',
    );
    assertEqual(textsOf(found.map(({ record }) => record)), textsOf([undefined, second.cid, first.cid]), 'values');
    assertEqual(found[2]?.message, 'the first', 'the message');
    assertEqual((await listOf(repo.log({ limit: 2 }))).length, 2, 'two entries');
    assertEqual((await listOf(repo.log({ limit: 0 }))).length, 0, 'no entry');
    const older = await listOf(repo.log({ ref: second.commit.rev }));
    assertEqual(textsOf(older.slice(0, 1).map(({ cid }) => cid)), textsOf([second.commit.cid]), 'from a rev');
    assertEqual(older.length, 3, 'the commits before it');
    await repo.branch('draft').put(POST, 'a', post('3'));
    const draft = await listOf(repo.log({ path, ref: 'draft', limit: 1 }));
    assertEqual(
      textsOf(draft.map(({ cid }) => cid)),
      textsOf([(await repo.branch('draft').head())?.cid]),
      'of a branch',
    );
    await assertRejects(() => listOf(repo.log({ ref: 'none' })), 'RefNotFound', 'an unknown ref');
    await assertRejects(() => listOf(repo.log({ path: 'none' })), 'InvalidCollection', 'an invalid path');
  }),

  over('diff compares revs, commits, refs and trees, and lists a prefix', async (repo) => {
    await repo.write(creates(3));
    const before = (await repo.head())!;
    await repo.put(LIKE, 'a', { $type: LIKE });
    await repo.put(POST, rkeyOf(1), post('changed'));
    await repo.branch('draft').put(POST, 'draft', post('draft'));
    const { data } = (await repo.head())!;
    for (const from of [before.rev, before.cid, before.data, String(before.data)]) {
      const changes = await listOf(repo.diff(from, data));
      assertEqual(
        changes.map(({ collection }) => collection),
        [LIKE, POST],
        `from ${String(from)}`,
      );
    }
    const posts = await listOf(repo.diff(before.rev, 'draft', { prefix: `${POST}/` }));
    assertEqual(
      posts.map(({ rkey }) => rkey),
      [rkeyOf(1), 'draft'],
      'with a prefix',
    );
    assertEqual(
      await listOf(repo.diff(before.rev, undefined, { prefix: 'app.bsky.graph' })),
      [],
      'a prefix without changes',
    );
  }),

  over('diff compares checked-out and edited trees with other states', async (repo) => {
    const paths = async (...states: Parameters<typeof repo.diff>): Promise<string[]> =>
      (await listOf(repo.diff(...states))).map(({ action, rkey }) => `${action} ${rkey}`);
    const unborn = await (await repo.checkout()).put(POST, 'first', post('first'));
    assertEqual(await paths(unborn, unborn), [], 'before the first commit');
    assertEqual(await paths(undefined, unborn), ['create first'], 'of an edited tree before the first commit');
    const { rev } = await repo.write(creates(40));
    await repo.put(POST, rkeyOf(1), post('changed'));
    const before = await repo.checkout(rev);
    const head = await repo.checkout();
    assertEqual(await paths(before), [`update ${rkeyOf(1)}`], 'a tree and the head');
    assertEqual(await paths(rev, head), [`update ${rkeyOf(1)}`], 'a rev and a tree');
    assertEqual((await paths()).length, 40, 'all records of the head');
    const mine = await (await before.put(POST, 'mine', post('mine'))).delete(POST, rkeyOf(2));
    const theirs = await head.put(POST, 'theirs', post('theirs'));
    assertEqual(await paths(before, mine), [`delete ${rkeyOf(2)}`, 'create mine'], 'a tree and its edited tree');
    const all = [`update ${rkeyOf(1)}`, `create ${rkeyOf(2)}`, 'delete mine', 'create theirs'];
    assertEqual(await paths(mine, theirs), all, 'two edited trees of two commits');
    assertEqual(await paths(mine, theirs, { prefix: `${POST}/t` }), ['create theirs'], 'with a prefix');
    const changes = await listOf(repo.diff(before, await before.put(POST, rkeyOf(0), post('other'))));
    const [old, now] = [await before.get(POST, rkeyOf(0)), changes[0]];
    assertEqual(String(now?.prev), String(old?.cid), 'the CID before');
    await repo.commit(theirs);
    assertEqual(await paths(head, theirs), ['create theirs'], 'after a commit');
    assertEqual(await paths(theirs), [], 'the committed tree and the head');
    const stranger = { ...head } as Tree;
    const refused = await listOf(repo.diff(stranger)).catch((error: unknown) => error);
    assertEqual((refused as Error).name, 'TypeError', 'a tree of another repository is refused');
  }),

  over('rebase applies the changes of a branch to the head', async (repo) => {
    await repo.write(creates(10));
    const branch = repo.branch('draft');
    assertEqual((await branch.rebase()).commit, undefined, 'before the first write');
    await branch.write(
      [
        { action: 'create', collection: POST, rkey: 'new', value: post('new') },
        { action: 'update', collection: POST, rkey: rkeyOf(1), value: post('ours') },
        { action: 'delete', collection: POST, rkey: rkeyOf(2) },
        { action: 'update', collection: POST, rkey: rkeyOf(3), value: post('both') },
      ],
      { message: 'a draft' },
    );
    assertEqual((await branch.rebase()).commit, undefined, 'on the head');
    await repo.put(POST, rkeyOf(3), post('both'));
    await repo.put(POST, rkeyOf(4), post('theirs'));
    const { commit, absorbed, conflicts } = await branch.rebase();
    assertEqual([absorbed, conflicts], [[`${POST}/${rkeyOf(3)}`], []], 'a change that the head has already');
    assertEqual(String((await branch.base())?.cid), String((await repo.head())?.cid), 'the new base');
    assertEqual(String((await branch.head())?.cid), String(commit?.cid), 'the new head');
    assertEqual(
      (await listOf(branch.diff())).map(({ action, rkey }) => `${action} ${rkey}`),
      [`update ${rkeyOf(1)}`, `delete ${rkeyOf(2)}`, 'create new'],
      'the changes of the branch',
    );
    assertEqual((await branch.get(POST, rkeyOf(4)))?.value.text, 'theirs', 'a change of the head');
    assertEqual((await listOf(repo.log({ ref: 'draft', limit: 1 })))[0]?.message, 'a draft', 'its message');
    await repo.gc(AT_ONCE);
    assertEqual((await repo.verify()).faults, [], 'no fault');
  }),

  over('rebase stops at a conflict, or takes one of both values', async (repo) => {
    await repo.write(creates(3));
    for (const onConflict of [undefined, 'stop', 'ours', 'theirs'] as const) {
      const branch = repo.branch(`draft-${onConflict}`);
      await branch.put(POST, rkeyOf(0), post(`ours ${onConflict}`));
      await branch.put(POST, 'free', post(`free ${onConflict}`));
      await repo.put(POST, rkeyOf(0), post(`theirs ${onConflict}`));
      const before = await branch.head();
      const { commit, conflicts } = await branch.rebase({ onConflict });
      assertEqual(
        conflicts.map(({ path }) => path),
        [`${POST}/${rkeyOf(0)}`],
        'the conflict',
      );
      assert(
        conflicts.every(({ base, ours, theirs }) => base && ours && theirs),
        'its three values',
      );
      const isStopped = onConflict === undefined || onConflict === 'stop';
      assertEqual(commit === undefined, isStopped, 'whether it stops');
      assertEqual(String((await branch.head())?.cid) === String(before?.cid), isStopped, 'whether the branch stays');
      const text = onConflict === 'theirs' ? 'theirs' : 'ours';
      assertEqual((await branch.get(POST, rkeyOf(0)))?.value.text, `${text} ${onConflict}`, 'the value');
      assertEqual((await branch.get(POST, 'free'))?.value.text, `free ${onConflict}`, 'the other change');
    }
    assertEqual((await repo.verify()).faults, [], 'no fault');
  }),
];
