/** Test cases of every repository: reads of many records by their paths. */
import { errorName } from '../../core/data/platform-values.ts';
import type { FoundRecord, Repo } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, rejectionOf } from '../case.ts';
import { FLOAT, carOf } from './car-cases.ts';
import type { RepoHarness } from './harness.ts';
import { DID, KEY, LIKE, POST, creates, over, post, rkeyOf } from './harness.ts';

/** The texts of posts at keys, `undefined` for absent ones. */
const textsOf = async (from: Pick<Repo, 'getMany'>, rkeys: readonly string[]): Promise<unknown[]> =>
  (await from.getMany(rkeys.map((rkey) => `${POST}/${rkey}`))).map((found) => found?.value.text);

const describeRecord = (found: FoundRecord | undefined): string | undefined =>
  found && `${found.uri} ${found.cid} ${String(found.value.text)} ${found.bytes.join()}`;

export const repoGetManyCases: readonly Case<RepoHarness>[] = [
  over('getMany returns records in the order of the paths, each as get does', async (repo) => {
    await repo.write([...creates(300), { action: 'create', collection: LIKE, rkey: 'l', value: { subject: 'x' } }]);
    const rkeys = [250, 3, 299, 300, 0, 3].map(rkeyOf);
    const found = await repo.getMany(rkeys.map((rkey) => `${POST}/${rkey}`));
    const expected = await Promise.all(rkeys.map((rkey) => repo.get(POST, rkey)));
    assertEqual(found.map(describeRecord), expected.map(describeRecord), 'the records');
    assertEqual(found[3], undefined, 'an absent key');
    assertEqual(found[0]!.uri, `at://${DID}/${POST}/${rkeyOf(250)}`, 'a uri');
    const [like, absent] = await repo.getMany([`${LIKE}/l`, `${POST}/l`]);
    assertEqual([like?.value.subject, absent], ['x', undefined], 'other collections');
    assertEqual(await repo.getMany([]), [], 'without paths');
    const all = Array.from({ length: 300 }, (_, i) => rkeyOf(299 - i));
    assertEqual(
      await textsOf(repo, all),
      all.map((_, i) => `post ${299 - i}`),
      'all records',
    );
  }),

  over('getMany gives the caller bytes of its own', async (repo) => {
    await repo.write(creates(2));
    const paths = [rkeyOf(0), rkeyOf(1), rkeyOf(0)].map((rkey) => `${POST}/${rkey}`);
    for (let round = 0; round < 2; round++) {
      const [first, , again] = await repo.getMany(paths);
      first!.bytes.fill(0);
      assert(again!.bytes[0] !== 0, 'the same path twice');
    }
    assertEqual(await textsOf(repo, [rkeyOf(0)]), ['post 0'], 'the next read');
    assertEqual((await repo.get(POST, rkeyOf(0)))?.value.text, 'post 0', 'get');
  }),

  over('getMany returns nothing before the first commit', async (repo) => {
    assertEqual(await textsOf(repo, ['a', 'b']), [undefined, undefined], 'the repository');
    const tree = await repo.checkout();
    assertEqual(await textsOf(await tree.put(POST, 'a', post('a')), ['a', 'b']), ['a', undefined], 'a tree');
  }),

  over('getMany reads trees and branches', async (repo) => {
    const { rev } = await repo.write(creates(3));
    const branch = repo.branch('drafts');
    await branch.put(POST, rkeyOf(1), post('on the branch'));
    await repo.delete(POST, rkeyOf(2));
    const rkeys = [rkeyOf(2), rkeyOf(1), rkeyOf(0)];
    assertEqual(await textsOf(repo, rkeys), [undefined, 'post 1', 'post 0'], 'the head');
    assertEqual(await textsOf(branch, rkeys), ['post 2', 'on the branch', 'post 0'], 'the branch');
    assertEqual(await textsOf(repo.branch('new'), rkeys), [undefined, 'post 1', 'post 0'], 'a branch before its start');
    const old = await repo.checkout(rev);
    assertEqual(await textsOf(old, rkeys), ['post 2', 'post 1', 'post 0'], 'an old commit');
    const edited = await (await old.put(POST, rkeyOf(2), post('edited'))).delete(POST, rkeyOf(0));
    assertEqual(await textsOf(edited, rkeys), ['edited', 'post 1', undefined], 'an edited tree');
    assertEqual(await textsOf(edited, [rkeyOf(1)]), ['post 1'], 'paths without an edit');
  }),

  over('getMany checks its paths', async (repo) => {
    await repo.write(creates(1));
    const good = `${POST}/${rkeyOf(0)}`;
    await assertRejects(() => repo.getMany([good, `${POST}/..`]), 'InvalidRecordKey', 'a bad key');
    await assertRejects(() => repo.getMany([POST]), 'InvalidRecordKey', 'a path without a key');
    await assertRejects(() => repo.getMany([good, 'post/a']), 'InvalidCollection', 'a bad collection');
    const many = Array.from({ length: 10_001 }, () => good);
    await assertRejects(() => repo.getMany(many), 'LimitExceeded', 'too many paths');
    for (const paths of [good, [good, 1], undefined]) {
      const error = await rejectionOf(() => repo.getMany(paths as string[]), `the paths ${String(paths)}`);
      assert(errorName(error) === 'TypeError', `is a TypeError: ${String(error)}`);
    }
  }),

  over('getMany rejects at a record that breaks the data model', async (repo) => {
    await repo.importCar(await carOf([[`${POST}/bad`, FLOAT]]), { key: KEY.did!() });
    await repo.put(POST, 'a', post('a'));
    await assertRejects(() => repo.getMany([`${POST}/a`, `${POST}/bad`]), 'Malformed', 'with the bad record');
    assertEqual(await textsOf(repo, ['a']), ['a'], 'without it');
  }),
];
