/** Test cases of repositories that several owners have open at once. */
import { concatBytes } from '../../core/data/bytes.ts';
import { readAll } from '../../core/data/streams.ts';
import { readCar } from '../../core/car/reader.ts';
import type { HeadChange, Repo } from '../../core/repo/repo.ts';
import { isRepoError } from '../../core/errors.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, rejectionOf, skip } from '../case.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, KEY, POST, creates, over, post, rkeyOf } from './harness.ts';

/** More than a list or an export reads ahead. */
const COUNT = 3000;

/** A case over one repository with two owners. */
const shared = (
  name: string,
  run: (first: Repo, second: Repo, harness: RepoHarness) => Promise<void>,
): Case<RepoHarness> =>
  over(`two owners: ${name}`, async (repo, harness) => {
    const second = await (harness.openBeside?.({ signer: KEY }) ?? skip('a repository has one owner at a time'));
    try {
      await run(repo, second, harness);
    } finally {
      await second.close();
    }
  });

/** Replaces every record, so that the old state shares no block with the head. */
const replaceAll = (repo: Repo, name: string): Promise<unknown> =>
  repo.write(
    Array.from({ length: COUNT }, (_, i) => ({
      action: 'update',
      collection: POST,
      rkey: rkeyOf(i),
      value: post(`${name} ${i}`),
    })),
  );

const createAll = (repo: Repo): Promise<unknown> => repo.write(creates(COUNT));

const textsOf = async (repo: Repo): Promise<string[]> =>
  (await listOf(repo.list(POST))).map(({ value }) => String(value['text']));

/** Reads one entry, runs `meanwhile`, and reads the rest. */
const readAround = async <T>(list: AsyncIterable<T>, meanwhile: () => Promise<unknown>): Promise<number> => {
  let count = 0;
  for await (const _ of list) {
    if (count === 0) {
      await meanwhile();
    }
    count += 1;
  }
  return count;
};

/** Expects an error that says what has happened and what to do. */
const assertRemoved = async (run: () => Promise<unknown>, what: string): Promise<void> => {
  const error = await rejectionOf(run, what);
  assert(
    isRepoError(error, 'BlockNotFound') && /gc: try again with the head/.test(error.message),
    `${what} names gc: ${String(error)}`,
  );
};

const until = async (isDone: () => boolean, what: string): Promise<void> => {
  for (let i = 0; !isDone(); i++) {
    assert(i < 1000, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

export const repoOwnerCases: readonly Case<RepoHarness>[] = [
  shared('each sees the head of the other, and every write is based on the last one', async (first, second) => {
    const owners = [first, second];
    for (let i = 0; i < 10; i++) {
      const { commit } = await owners[i % 2]!.put(POST, `one${i}`, post(`${i}`));
      assertEqual(String((await owners[(i + 1) % 2]!.head())?.cid), String(commit.cid), 'the head of the other');
      assertEqual((await owners[(i + 1) % 2]!.get(POST, `one${i}`))?.value.text, `${i}`, 'the record');
    }
    await Promise.all(Array.from({ length: 40 }, (_, i) => owners[i % 2]!.put(POST, `two${i}`, post(`${i}`))));
    for (const repo of owners) {
      assertEqual([(await textsOf(repo)).length, (await repo.collections())[0]?.count], [50, 50], 'records');
      const revs = (await listOf(repo.log())).map(({ rev }) => rev);
      assertEqual([...new Set(revs)].sort().reverse(), revs, 'the history');
      assertEqual(revs.length, 50, 'commits');
      assert((await repo.verify({ key: KEY.did() })).ok, 'it is sound');
    }
  }),

  shared('a write that expects an old head is refused, and a tree of an old head too', async (first, second) => {
    const { commit } = await first.put(POST, 'a', post('a'));
    const tree = await (await first.checkout()).put(POST, 'c', post('c'));
    await second.put(POST, 'b', post('b'));
    await assertRejects(
      () => first.put(POST, 'd', post('d'), { swapCommit: commit.cid }),
      'InvalidSwap',
      'a write with swapCommit',
    );
    await assertRejects(() => first.commit(tree), 'InvalidSwap', 'commit');
    await second.branch('drafts').put(POST, 'e', post('e'));
    assertEqual((await first.branch('drafts').get(POST, 'e'))?.value.text, 'e', 'a branch');
    assertEqual((await listOf(first.list(POST))).length, 2, 'records of the head');
  }),

  shared('listeners hear of the heads of both, each once and in order', async (first, second, harness) => {
    if (harness.hearsOthers !== true) {
      skip('owners do not hear of each other');
    }
    const heard: HeadChange[][] = [[], []];
    const owners = [first, second];
    owners.forEach((repo, i) => repo.onChange((change) => heard[i]!.push(change)));
    const revs: string[] = [];
    for (let i = 0; i < 6; i++) {
      const { commit } = await owners[i % 2]!.put(POST, `n${i}`, post(`${i}`));
      revs.push(commit.rev);
      await until(() => heard.every(({ length }) => length > i), 'both hear of it');
    }
    for (const changes of heard) {
      assertEqual(
        changes.map(({ rev, created }) => `${rev} ${created.join()}`),
        revs.map((rev, i) => `${rev} ${POST}/n${i}`),
        'what they hear',
      );
    }
    const pages = first.watch(POST, { limit: 1, reverse: true });
    await pages.next();
    const next = pages.next();
    await second.put(POST, 'n9', post('9'));
    assertEqual((await next).value?.records[0]?.value['text'], '9', 'a watch of the other');
    await pages.return();
  }),

  shared('gc keeps for an hour what the other may read', async (first, second) => {
    await createAll(first);
    const { rev } = (await first.head())!;
    const count = await readAround(first.list(POST), async () => {
      await replaceAll(second, 'new');
      assertEqual((await second.gc()).blocks, 0, 'removed blocks');
    });
    assertEqual(count, COUNT, 'records of the list');
    assertEqual((await listOf((await first.checkout(rev)).entries())).length, COUNT, 'the old state');
    assertEqual((await second.gc({ dryRun: true, commitAge: 60_000 })).commits, 0, 'younger than a minute');
    const { blocks, commits } = await second.gc(AT_ONCE);
    assert(blocks > COUNT && commits === 1, `at once: blocks=${blocks} commits=${commits}`);
    assertEqual((await second.gc(AT_ONCE)).blocks, 0, 'a second time');
    assertEqual((await textsOf(first)).at(-1), `new ${COUNT - 1}`, 'the records');
    await assertRejects(() => first.checkout(rev), 'RefNotFound', 'the old state afterwards');
    assert((await first.verify()).ok, 'it is sound');
    for (const commitAge of [-1, Number.NaN, '1' as unknown as number]) {
      const error = await rejectionOf(() => first.gc({ commitAge }), `commitAge=${commitAge}`);
      assertEqual((error as Error).name, 'TypeError', `commitAge=${commitAge}`);
    }
  }),

  shared(
    'a reader whose blocks gc of the other removes at once is told so, and starts again',
    async (first, second) => {
      await createAll(first);
      let turn = 0;
      const sweep = async (): Promise<void> => {
        turn += 1;
        await replaceAll(second, `turn ${turn}`);
        await second.gc(AT_ONCE);
      };
      await assertRemoved(() => readAround(first.list(POST), sweep), 'a list');
      await assertRemoved(async () => readAround((await first.checkout()).list(POST), sweep), 'a list of a tree');
      const stream = first.exportCar();
      const reader = stream.getReader();
      const { value: start } = await reader.read();
      await sweep();
      reader.releaseLock();
      // A store that has read all blocks before completes the export.
      const rest = await readAll(stream).catch(async (error: unknown) => {
        await assertRemoved(() => Promise.reject(error), 'an export');
        return undefined;
      });
      if (rest !== undefined) {
        // Each block is hashed.
        assert([...readCar(concatBytes([start!, rest]))].length > COUNT, 'a complete export');
      }
      assertEqual((await textsOf(first))[1], `turn ${turn} 1`, 'a new list');
      assert((await readAll(first.exportCar())).length > 0, 'a new export');
      assert((await first.verify()).ok, 'it is sound');
    },
  ),

  shared('single reads continue while the other replaces and removes heads', async (first, second) => {
    await first.write(creates(50));
    let isDone = false;
    const writing = (async () => {
      for (let i = 0; i < 15; i++) {
        await second.put(POST, rkeyOf(0), post(`turn ${i}`));
        await second.gc(AT_ONCE);
      }
      isDone = true;
    })();
    let reads = 0;
    while (!isDone) {
      const found = await first.get(POST, rkeyOf(0));
      const [zero, one] = await first.getMany([`${POST}/${rkeyOf(0)}`, `${POST}/${rkeyOf(1)}`]);
      assert(found !== undefined && zero !== undefined && one !== undefined, 'the records exist');
      assertEqual((await first.collections())[0]?.count, 50, 'the count');
      assert((await first.head()) !== undefined, 'the head');
      reads += 1;
    }
    await writing;
    assert(reads > 0, 'reads in between');
    assertEqual((await first.get(POST, rkeyOf(0)))?.value.text, 'turn 14', 'the last one');
  }),

  shared('a listener whose heads gc of the other removes gets the newest head', async (first, second, harness) => {
    if (harness.hearsOthers !== true) {
      skip('owners do not hear of each other');
    }
    await first.write(creates(50));
    const heard: HeadChange[] = [];
    first.onChange((change) => heard.push(change));
    let last = '';
    for (let i = 0; i < 10; i++) {
      last = (await second.put(POST, rkeyOf(i), post(`again ${i}`))).commit.rev;
      await second.gc(AT_ONCE);
    }
    await until(() => heard.at(-1)?.rev === last, 'the newest head is heard');
    for (const { created, updated, deleted, incomplete } of heard) {
      assertEqual([created.length, deleted.length], [0, 0], 'no other changes');
      assert(incomplete === true || updated.length > 0, 'a change is complete, or says that it is not');
    }
    const revs = heard.map(({ rev }) => rev);
    assertEqual([...new Set(revs)].sort(), revs, 'each head once, in order');
  }),
];
