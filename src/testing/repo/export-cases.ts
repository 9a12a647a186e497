/** The contract of a repository about exports of a part: a difference, some records, or some blocks. */
import { readAll } from '../../core/data/streams.ts';
import { readCar } from '../../core/car/reader.ts';
import { cidToText } from '../../core/data/cid.ts';
import { isRepoError } from '../../core/errors.ts';
import type { ExportOptions } from '../../core/repo/long-work.ts';
import { verifyProof } from '../../core/repo/proof/verify-proof.ts';
import type { Repo, WriteOp } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, rejectionOf } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, DID, KEY, LIKE, POST, POSTGATE, creates, over, post, rkeyOf } from './harness.ts';

const likes = (count: number): WriteOp[] =>
  Array.from({ length: count }, (_, i) => ({
    action: 'create',
    collection: i % 2 === 0 ? LIKE : POSTGATE,
    rkey: rkeyOf(i),
    value: { $type: i % 2 === 0 ? LIKE : POSTGATE, number: i },
  }));

/** What the CAR of an export proves about a path. */
const stateOf = async (repo: Repo, path: string, options: ExportOptions): Promise<string> => {
  const result = await verifyProof(await readAll(repo.exportCar(options)), { did: DID, key: KEY.did(), path });
  return result.state === 'present' && result.bytes === undefined ? 'present, without its record' : result.state;
};

const cidsIn = (car: Uint8Array): string[] => [...readCar(car)].map(({ cid }) => cidToText(cid));

export const repoExportCases: readonly Case<RepoHarness>[] = [
  over('an export of collections proves that it has all of their records', async (repo) => {
    await repo.write([...creates(120), ...likes(60)]);
    const options = { collections: [POST] };
    assertEqual(await stateOf(repo, `${POST}/${rkeyOf(0)}`, options), 'present', 'the first record');
    assertEqual(await stateOf(repo, `${POST}/${rkeyOf(119)}`, options), 'present', 'the last record');
    for (const rkey of ['0', '3k0', 'zzz', rkeyOf(500)]) {
      assertEqual(await stateOf(repo, `${POST}/${rkey}`, options), 'absent', `no record ${rkey}`);
    }
    const car = await readAll(repo.exportCar(options));
    const records = await listOf(repo.list());
    const blocks = new Set(cidsIn(car));
    for (const { cid, collection, rkey } of records) {
      assertEqual(blocks.has(cidToText(cid)), collection === POST, `${collection}/${rkey}`);
    }
    assert(blocks.size < cidsIn(await readAll(repo.exportCar())).length - 50, 'fewer blocks than the whole CAR');
    await assertRejects(
      () => readAll(repo.exportCar({ collections: ['no'] })),
      'InvalidCollection',
      'a bad collection',
    );
  }),

  over('an export of a range has the records from its start up to its end', async (repo) => {
    await repo.write([...creates(100), ...likes(10)]);
    const range = { from: `${POST}/${rkeyOf(20)}`, to: `${POST}/${rkeyOf(30)}` };
    const blocks = new Set(cidsIn(await readAll(repo.exportCar({ range }))));
    const found = (await listOf(repo.list())).filter(({ cid }) => blocks.has(cidToText(cid)));
    assertEqual(
      found.map(({ rkey }) => rkey),
      Array.from({ length: 10 }, (_, i) => rkeyOf(20 + i)),
      'its records',
    );
    assertEqual(await stateOf(repo, `${POST}/${rkeyOf(25)}x`, { range }), 'absent', 'no record between two of them');
    const both = { range, collections: [LIKE] };
    assertEqual((await readAll(repo.exportCar(both))).length > 0, true, 'a CAR without a record');
  }),

  over('an export since a commit has each changed record, even if its block is not new', async (repo) => {
    await repo.write(creates(80));
    const { rev } = (await repo.head())!;
    const value = (await repo.get(POST, rkeyOf(3)))!.value;
    const { cid } = await repo.put(POST, 'twin', value);
    const car = await readAll(repo.exportCar({ since: rev }));
    assert(cidsIn(car).includes(cidToText(cid)), 'the record of the new path');
    assert(cidsIn(car).length < 10, 'few blocks');
    await repo.delete(POST, 'twin');
    await repo.put(POST, 'a', post('a'));
    await repo.put(POST, rkeyOf(5), post('changed'));
    const since = {
      since: rev,
      collections: [POST],
      range: { from: `${POST}/${rkeyOf(5)}`, to: `${POST}/${rkeyOf(6)}` },
    };
    const part = cidsIn(await readAll(repo.exportCar(since)));
    const [a, changed] = [await repo.get(POST, 'a'), await repo.get(POST, rkeyOf(5))];
    assertEqual(
      [part.includes(cidToText(a!.cid)), part.includes(cidToText(changed!.cid))],
      [false, true],
      'of a range',
    );
  }),

  over('an export since a commit that is not stored is refused', async (repo) => {
    const { rev } = await repo.write(creates(3));
    await repo.put(POST, 'a', post('a'));
    await repo.gc(AT_ONCE);
    const error = await rejectionOf(() => readAll(repo.exportCar({ since: rev })), 'a removed commit');
    assert(isRepoError(error, 'RefNotFound') && /without `since`/.test(error.message), 'it offers the whole CAR');
    await assertRejects(() => readAll(repo.exportCar({ since: 'unknown' })), 'RefNotFound', 'an unknown ref');
  }),

  over('blocks are exported by their CIDs, each once', async (repo) => {
    const { cid } = await repo.write(creates(3));
    const record = (await repo.get(POST, rkeyOf(1)))!;
    const car = readCar(await repo.exportBlocks([record.cid, cid, record.cid]));
    assertEqual(
      [car.roots.length, [...car].map((block) => String(block.cid))],
      [0, [String(record.cid), String(cid)]],
      'the CAR',
    );
    await repo.delete(POST, rkeyOf(1));
    await repo.gc(AT_ONCE);
    const error = await rejectionOf(() => repo.exportBlocks([record.cid]), 'a removed block');
    assert(
      isRepoError(error, 'BlockNotFound') && error.message.includes(cidToText(record.cid)),
      'the error names the block',
    );
  }),
];
