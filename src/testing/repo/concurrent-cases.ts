/** Test cases of every repository: writes that do not wait for each other. */
import type { CommitRef, Repo } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, rejectionOf } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import { KEY, LIKE, OTHER_KEY, POST, creates, over, post, rkeyOf } from './harness.ts';

const revsOf = (commits: readonly CommitRef[]): string[] => commits.map(({ rev }) => rev);

/** The revs of the history, oldest first. */
const history = async (repo: Repo): Promise<string[]> => (await listOf(repo.log())).map(({ rev }) => rev).reverse();

const isIncreasing = (revs: readonly string[]): boolean => revs.every((rev, i) => i === 0 || rev > revs[i - 1]!);

export const repoConcurrentCases: readonly Case<RepoHarness>[] = [
  over('concurrent writes have a commit each, in the order of the calls', async (repo) => {
    const puts = await Promise.all(Array.from({ length: 150 }, (_, i) => repo.put(POST, rkeyOf(i), post(`post ${i}`))));
    const revs = revsOf(puts.map(({ commit }) => commit));
    assert(isIncreasing(revs), 'the revs increase');
    assertEqual(await history(repo), revs, 'the history');
    for (const [i, { commit }] of puts.entries()) {
      if (i % 50 === 0) {
        const tree = await repo.checkout(commit.rev);
        assertEqual((await listOf(tree.entries())).length, i + 1, `records at commit ${i}`);
      }
    }
    assertEqual(String((await repo.head())!.cid), String(puts.at(-1)!.commit.cid), 'the head');
    assertEqual((await repo.collections())[0]!.count, 150, 'the count');
    assert((await repo.verify({ key: KEY.did!() })).ok, 'it is sound');
  }),

  over('each of the concurrent writes sees the ones before it, and fails alone', async (repo) => {
    await repo.write(creates(1));
    const value = post('a');
    const [created, again, badSwap, otherKey, updated, deleted, absent] = await Promise.allSettled([
      repo.write([{ action: 'create', collection: POST, rkey: 'a', value }]),
      repo.write([{ action: 'create', collection: POST, rkey: 'a', value }]),
      repo.put(POST, 'b', post('b'), { swapCommit: null }),
      repo.put(POST, 'c', post('c'), { signer: OTHER_KEY }),
      repo.write([{ action: 'update', collection: POST, rkey: 'a', value: post('b') }]),
      repo.delete(POST, rkeyOf(0)),
      repo.delete(POST, rkeyOf(0)),
    ]);
    const codes = [again, badSwap, otherKey].map((end) => (end as PromiseRejectedResult).reason.code);
    assertEqual(codes, ['RecordExists', 'InvalidSwap', 'InvalidSigner'], 'the errors');
    assertEqual([created.status, updated.status, deleted.status], Array(3).fill('fulfilled'), 'the others');
    assertEqual((absent as PromiseFulfilledResult<unknown>).value, undefined, 'a second deletion');
    assertEqual((await repo.get(POST, 'a'))?.value.text, 'b', 'the record');
    assertEqual(await repo.getMany([`${POST}/b`, `${POST}/c`]), [undefined, undefined], 'what failed');
    assertEqual((await history(repo)).length, 4, 'commits');
    assert((await repo.verify({ key: KEY.did!() })).ok, 'it is sound');
  }),

  over('a signer that fails or signs wrongly fails its own write only', async (repo) => {
    const wrong = { sign: (bytes: Uint8Array<ArrayBuffer>) => OTHER_KEY.sign(bytes), did: () => KEY.did!() };
    const failing = { sign: () => Promise.reject(new Error('no key today')), did: () => KEY.did!() };
    const puts = [undefined, wrong, undefined, failing, undefined].map((signer, i) =>
      repo.put(POST, rkeyOf(i), post(`post ${i}`), signer && { signer }),
    );
    const ends = await Promise.allSettled(puts);
    assertEqual(
      ends.map(({ status }) => status === 'fulfilled'),
      [true, false, true, false, true],
      'which succeed',
    );
    const found = await listOf(repo.list(POST));
    assertEqual(
      found.map(({ value }) => value.text),
      ['post 0', 'post 2', 'post 4'],
      'the records',
    );
    assert((await repo.verify({ key: KEY.did!() })).ok, 'it is sound');
  }),

  over('listeners hear of each commit once, in order, after it is stored', async (repo) => {
    const heard: string[] = [];
    const unstored: string[] = [];
    const checks: Promise<unknown>[] = [];
    repo.onChange(({ rev, created, updated, deleted }) => {
      heard.push(`${rev} ${[...created, ...updated, ...deleted].join()}`);
      checks.push(repo.checkout(rev).catch(() => unstored.push(rev)));
    });
    const results = await Promise.all([
      repo.put(POST, 'a', post('a')).then(({ commit }) => `${commit.rev} ${POST}/a`),
      repo
        .write([{ action: 'create', collection: LIKE, rkey: 'b', value: { subject: 'x' } }])
        .then(({ rev }) => `${rev} ${LIKE}/b`),
      repo.create(POST, post('c'), { rkey: 'c' }).then(({ rev }) => `${rev} ${POST}/c`),
      repo.delete(POST, 'a').then((commit) => `${commit!.rev} ${POST}/a`),
      repo.put(POST, 'a', post('again')).then(({ commit }) => `${commit.rev} ${POST}/a`),
    ]);
    await Promise.all(checks);
    assertEqual([heard, unstored], [results, []], 'the events');
  }),

  over('concurrent writes keep their order among other changes', async (repo) => {
    await repo.write(creates(1));
    const [, tagged] = await Promise.all([
      repo.put(POST, 'a', post('a')),
      repo.put(POST, 'b', post('b')),
      repo.setRef('middle', 'main'),
      repo.put(POST, 'c', post('c')),
      repo.branch('drafts').put(POST, 'd', post('d')),
    ]);
    assertEqual(String((await repo.refs()).get('middle')), String(tagged.commit.cid), 'a ref between them');
    const branch = repo.branch('drafts');
    assertEqual((await listOf(branch.entries())).length, 5, 'the branch starts at the head of its time');
    assert((await repo.get(POST, 'd')) === undefined, 'the head');
  }),

  over('a named write is applied once, also if its repetition is concurrent', async (repo) => {
    const name = { request: { id: 'one' } };
    const writes = [0, 1, 2].map((i) => repo.put(POST, 'a', post(`post ${i}`), name));
    const revs = new Set((await Promise.all(writes)).map(({ commit }) => commit.rev));
    assertEqual([revs.size, (await history(repo)).length], [1, 1], 'commits');
    assertEqual((await repo.get(POST, 'a'))?.value.text, 'post 0', 'the first one');
  }),

  over('close waits for concurrent writes', async (repo, harness) => {
    const puts = Array.from({ length: 10 }, (_, i) => repo.put(POST, rkeyOf(i), post(`post ${i}`)));
    const closing = repo.close();
    await Promise.all(puts);
    await closing;
    const error = await rejectionOf(() => repo.put(POST, 'x', post('x')), 'a later write');
    assertEqual((error as { code?: string }).code, 'Closed', 'its code');
    if (harness.forgetful !== true) {
      const again = await harness.open({ signer: KEY });
      assertEqual((await history(again)).length, 10, 'commits');
      await again.close();
    }
  }),
];
