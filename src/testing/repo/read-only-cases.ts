/** Test cases of every repository that is open for reading. */
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, skip } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import { creates, over, POST, rkeyOf } from './harness.ts';

export const repoReadOnlyCases: readonly Case<RepoHarness>[] = [
  over('a read-only repository returns stored records, and refuses changes', async (repo, harness) => {
    if (harness.openReadOnly === undefined) {
      return skip('the harness does not open a repository for reading');
    }
    const { cid } = await repo.write(creates(3));
    await repo.meta.set('app:cursor', '7');
    await repo.close();
    const reader = await harness.openReadOnly();
    assertEqual(String((await reader.head())?.cid), String(cid), 'the head');
    assertEqual((await reader.get(POST, rkeyOf(1)))?.value['text'], 'post 1', 'a record');
    assertEqual((await listOf(reader.list(POST))).length, 3, 'the list');
    assertEqual(await reader.meta.get('app:cursor'), '7', 'a meta value');
    assertEqual((await reader.info()).records, 3, 'the count');
    assert((await reader.verify()).ok, 'it should verify');
    const tree = await reader.checkout();
    const writes: readonly (() => Promise<unknown>)[] = [
      () => reader.write([]),
      () => reader.put(POST, rkeyOf(1), { text: 'post 1' }),
      () => reader.restore(`${POST}/${rkeyOf(1)}`, cid),
      () => reader.delete(POST, rkeyOf(9)),
      () => reader.commit(tree),
      () => reader.reset(cid),
      () => reader.recommit({ rev: 'now' }),
      () => reader.setRef('tag', cid),
      () => reader.removeRef('tag'),
      () => reader.importCar(new Uint8Array(1)),
      () => reader.putBlob(new Uint8Array(1)),
      () => reader.repair(),
      () => reader.gc(),
      () => reader.meta.set('app:cursor', '8'),
      () => reader.branch('draft').put(POST, rkeyOf(1), { text: 'draft' }),
      () => reader.branch('draft').discard(),
    ];
    for (const write of writes) {
      await assertRejects(write, 'ReadOnly', String(write));
    }
    assertEqual(await reader.meta.get('app:cursor'), '7', 'the meta value afterwards');
    assertEqual((await reader.refs()).size, 1, 'the refs afterwards');
    await reader.close();
    await assertRejects(() => reader.head(), 'Closed', 'a read after the end');
  }),
];
