/** Test cases of every repository: watching a collection. */
import type { RecordWatch } from '../../core/repo/read/watch.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import { FLOAT, carOf } from './car-cases.ts';
import type { RepoHarness } from './harness.ts';
import { KEY, LIKE, POST, POSTGATE, creates, over, post, rkeyOf } from './harness.ts';

/** Returns the texts of the next page, or how the watch ended. */
const textsOf = async (pages: RecordWatch): Promise<unknown> => {
  const { done, value } = await pages.next();
  return done === true ? 'done' : value.records.map((record) => record.value['text']);
};

/** Returns whether a promise has settled, after all earlier calls have settled. */
const hasSettled = async (promise: Promise<unknown>, repo: Repo): Promise<boolean> => {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  for (let i = 0; i < 3; i++) {
    await repo.info();
  }
  return settled;
};

export const repoWatchCases: readonly Case<RepoHarness>[] = [
  over('a watch yields the records at once, and again after each change of the collection', async (repo) => {
    await repo.write(creates(3));
    const pages = repo.watch(POST, { reverse: true, limit: 2 });
    const { value: first } = await pages.next();
    assertEqual(
      first?.records.map(({ rkey }) => rkey),
      [rkeyOf(2), rkeyOf(1)],
      'the first page',
    );
    assertEqual(first?.cursor, rkeyOf(1), 'the cursor of the next page');
    const next = pages.next();
    await repo.put(LIKE, 'a', { subject: 'x' });
    await repo.put(POSTGATE, 'a', { post: 'x' });
    assert(!(await hasSettled(next, repo)), 'changes of other collections do not count');
    await repo.put(POST, rkeyOf(9), post('new'));
    const { value: second } = await next;
    assertEqual(second?.records[0]?.value['text'], 'new', 'a record that was created');
    await repo.delete(POST, rkeyOf(9));
    assertEqual(await textsOf(pages), ['post 2', 'post 1'], 'a record that was deleted');
    await repo.put(POST, rkeyOf(2), post('changed'));
    assertEqual(await textsOf(pages), ['changed', 'post 1'], 'a record that was updated');
    await pages.return();
  }),

  over('several changes give one page', async (repo) => {
    const pages = repo.watch(POST);
    assertEqual(await textsOf(pages), [], 'before the first commit');
    for (let i = 0; i < 10; i++) {
      await repo.create(POST, post(`post ${i}`));
    }
    const { value } = await pages.next();
    assertEqual([value?.records.length, value?.cursor], [10, undefined], 'all of them');
    assert(!(await hasSettled(pages.next(), repo)), 'no page more');
    await pages.return();
  }),

  over('a watch of an import, of a reset, and of all collections', async (repo) => {
    const pages = repo.watch({ limit: 5 });
    await pages.next();
    const { rev } = await repo.write(creates(1));
    assertEqual((await pages.next()).value?.records.length, 1, 'a write');
    await repo.put(LIKE, 'a', { subject: 'x' });
    assertEqual(
      (await pages.next()).value?.records.map(({ collection }) => collection),
      [LIKE, POST],
      'another one',
    );
    await repo.reset(rev);
    assertEqual((await pages.next()).value?.records.length, 1, 'a reset');
    await repo.importCar(await carOf([[`${POST}/bad`, FLOAT]], { time: Date.now() * 1000 }), { key: KEY.did!() });
    await assertRejects(() => pages.next(), 'Malformed', 'a record that breaks the data model');
    assertEqual(await textsOf(pages), 'done', 'after a fault');
  }),

  over('a watch ends on return, when its signal aborts, and with the repository', async (repo) => {
    await repo.write(creates(1));
    const left = repo.watch(POST);
    await left.next();
    const waiting = left.next();
    await left.return();
    assertEqual((await waiting).done, true, 'left while a page is waited for');
    const seen: number[] = [];
    for await (const { records } of repo.watch(POST)) {
      seen.push(records.length);
      break;
    }
    assertEqual(seen, [1], 'left by a loop');
    assertEqual(await textsOf(repo.watch(POST, { signal: AbortSignal.abort() })), 'done', 'aborted before');
    const controller = new AbortController();
    const aborted = repo.watch(POST, { signal: controller.signal });
    await aborted.next();
    const cut = textsOf(aborted);
    controller.abort();
    assertEqual(await cut, 'done', 'aborted');
    const open = repo.watch(POST);
    await open.next();
    const last = textsOf(open);
    await repo.close();
    assertEqual(await last, 'done', 'closed');
    assertEqual(await textsOf(open), 'done', 'after that');
    await assertRejects(() => repo.watch(POST).next(), 'Closed', 'a watch of a repository that is closed');
  }),
];
