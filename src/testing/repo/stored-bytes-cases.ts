/** Test cases of every repository: the stored bytes of records. */
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import { FLOAT, carOf } from './car-cases.ts';
import type { RepoHarness } from './harness.ts';
import { KEY, POST, creates, over, post, rkeyOf } from './harness.ts';

export const repoStoredBytesCases: readonly Case<RepoHarness>[] = [
  over('an invalid record can be read as bytes and restored', async (repo) => {
    await repo.importCar(await carOf([[`${POST}/bad`, FLOAT]]), { key: KEY.did!() });
    const { rev } = (await repo.head())!;
    await assertRejects(() => repo.get(POST, 'bad'), 'Malformed', 'get');
    assertEqual(await repo.getBytes(POST, 'bad'), FLOAT.bytes, 'by collection and key');
    assertEqual(await repo.getBytes(`${POST}/bad`), FLOAT.bytes, 'by path');
    assertEqual(await repo.getBytes(POST, 'none'), undefined, 'a record that is not there');
    await repo.delete(POST, 'bad');
    assertEqual(await repo.getBytes(POST, 'bad'), undefined, 'after the deletion');
    const { cid, commit } = await repo.restore(`${POST}/bad`, rev);
    assertEqual(String(cid), String(FLOAT.cid), 'the CID');
    assertEqual(await repo.getBytes(POST, 'bad'), FLOAT.bytes, 'the same bytes');
    assertEqual((await repo.restore(`${POST}/bad`, rev)).commit.rev, commit.rev, 'the same record makes no commit');
  }),

  over('restore writes a record of a rev, a CID or a ref', async (repo) => {
    const first = await repo.write(creates(2));
    await repo.put(POST, rkeyOf(0), post('changed'));
    await repo.setRef('before', first.rev);
    for (const at of [first.rev, first.cid, 'before']) {
      await repo.put(POST, rkeyOf(0), post('changed'));
      await repo.restore(`${POST}/${rkeyOf(0)}`, at);
      assertEqual((await repo.get(POST, rkeyOf(0)))?.value.text, 'post 0', `at ${String(at)}`);
    }
    await assertRejects(() => repo.restore(`${POST}/none`, 'before'), 'RecordNotFound', 'a record that was not there');
    await assertRejects(() => repo.restore(`${POST}/${rkeyOf(0)}`, 'none'), 'RefNotFound', 'an unknown state');
    assert((await listOf(repo.log())).length > 3, 'each is a commit');
  }),
];
