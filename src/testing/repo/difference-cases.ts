/** The contract of a repository about imports of differences, dry runs, forks, rollbacks and slow sources. */
import { readAll } from '../../core/data/streams.ts';
import { readCar } from '../../core/car/reader.ts';
import { writeCar } from '../../core/car/writer.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import { CODEC_DAG_CBOR, cidOf, cidToText } from '../../core/data/cid.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import { ZERO_TID } from '../../core/syntax/tid.ts';
import { createCommit, encodeCommit } from '../../core/repo/commit.ts';
import type { HeadChange, Repo } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, rejectionOf } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { MakeRepo, RepoHarness } from './harness.ts';
import { AT_ONCE, DID, KEY, POST, creates, describe, overMore, post, rkeyOf } from './harness.ts';

const headText = async (repo: Repo): Promise<string> => String((await repo.head())?.cid);

/** A copy of the host, over which a case runs. */
const copyOf = async (repo: Repo, make: MakeRepo, count: number): Promise<Repo> => {
  const host = await make();
  await host.write(creates(count));
  await repo.importCar(host.exportCar(), { key: KEY.did() });
  return host;
};

/** A CAR of 40 records. */
const newerCar = async (make: MakeRepo): Promise<Uint8Array> => {
  const host = await make();
  await host.write(creates(40));
  return await readAll(host.exportCar());
};

const overCopy = (name: string, run: (repo: Repo, host: Repo, make: MakeRepo) => Promise<void>) =>
  overMore(name, async (repo, make) => run(repo, await copyOf(repo, make, 60), make), null);

export const repoDifferenceCases: readonly Case<RepoHarness>[] = [
  overCopy('an import of a difference returns its changes and the head before', async (repo, host) => {
    const before = (await repo.head())!;
    await host.write([
      ...creates(2, 60),
      { action: 'update', collection: POST, rkey: rkeyOf(5), value: post('changed') },
      { action: 'delete', collection: POST, rkey: rkeyOf(7) },
    ]);
    const result = await repo.importCar(host.exportCar({ since: before.rev }), { key: KEY.did() });
    const { created, updated, deleted, unchanged } = result;
    assertEqual([created, updated, deleted, unchanged], [2, 1, 1, 58], 'created, updated, deleted and unchanged');
    const names = (await listOf(result.changes)).map(({ action, rkey }) => `${action} ${rkey}`);
    const listed = (await listOf(repo.diff(before.cid))).map(({ action, rkey }) => `${action} ${rkey}`);
    assertEqual(names, listed, 'the changes are those of diff');
    assertEqual(String(result.previous), String(before.cid), 'the head before');
    assertEqual(await headText(repo), await headText(host), 'the new head');
    assertEqual((await repo.verify({ key: KEY.did() })).faults, [], 'no fault');
  }),

  overCopy('the changes of a large import are listed when they are read', async (repo, host) => {
    const { rev } = (await repo.head())!;
    await host.write([...creates(1200, 60), { action: 'delete', collection: POST, rkey: rkeyOf(7) }]);
    const car = await readAll(host.exportCar({ since: rev }));
    const tried = await repo.importCar(car, { dryRun: true });
    assertEqual((await listOf(tried.changes)).length, 1201, 'all changes of a dry run');
    const { changes, previous } = await repo.importCar(car);
    assertEqual([changes.first.length, changes.count], [1000, 1201], 'the first changes, and their number');
    for (let i = 0; i < 2; i++) {
      const listed = (await listOf(changes)).map(({ action, rkey }) => `${action} ${rkey}`);
      assertEqual(listed.length, 1201, 'all changes');
      assertEqual(listed[0], `delete ${rkeyOf(7)}`, 'in key order');
    }
    await repo.setRef('before', previous!);
    await repo.gc(AT_ONCE);
    assertEqual((await listOf(changes)).length, 1201, 'a ref keeps the head before');
    await repo.removeRef('before');
    await repo.gc(AT_ONCE);
    await assertRejects(() => listOf(changes), 'BlockNotFound', 'the tree before was removed');
    assertEqual(changes.first.length, 1000, 'the first changes stay');
  }),

  overCopy('many small differences lead to the same repository as one whole CAR', async (repo, host, make) => {
    for (let i = 0; i < 30; i++) {
      const { rev } = (await repo.head())!;
      await host.write([
        { action: 'create', collection: POST, rkey: `n${(i * 37) % 100}x`, value: post(`new ${i}`) },
        ...(i % 3 === 0 ? ([{ action: 'delete', collection: POST, rkey: rkeyOf(i) }] as const) : []),
        ...(i % 3 === 1 ? ([{ action: 'update', collection: POST, rkey: rkeyOf(i), value: post('x') }] as const) : []),
      ]);
      await repo.importCar(host.exportCar({ since: rev }), { key: KEY.did() });
      if (i % 10 === 5) {
        await repo.gc(AT_ONCE);
      }
    }
    const other = await make();
    await other.importCar(host.exportCar());
    assertEqual(await readAll(repo.exportCar()), await readAll(other.exportCar()), 'the same CAR');
    assertEqual((await repo.verify()).faults, [], 'no fault');
  }),

  overCopy('a difference whose blocks are missing is refused, and a dry run lists them', async (repo, host) => {
    const { rev } = (await repo.head())!;
    await host.write(creates(3, 60));
    const car = await readAll(host.exportCar({ since: rev }));
    const blocks = readCar(car);
    const before = await describe(repo);
    for (const left of [...blocks].filter(({ cid }) => !cid.equals(blocks.roots[0]))) {
      const torn = writeCar(
        blocks.roots,
        [...blocks].filter(({ cid }) => !cid.equals(left.cid)),
      );
      await assertRejects(() => repo.importCar(torn), 'BlockNotFound', 'a torn CAR');
      const { missing, head } = await repo.importCar(torn, { dryRun: true });
      assertEqual(
        missing?.map(({ cid }) => cidToText(cid)),
        [cidToText(left.cid)],
        'the missing block',
      );
      assertEqual(String(head), await headText(host), 'the head of the CAR');
    }
    assertEqual(await describe(repo), before, 'nothing has changed');
  }),

  overCopy('a dry run returns the result of the import, and changes nothing', async (repo, host) => {
    const { rev } = (await repo.head())!;
    await host.write([...creates(3, 60), { action: 'delete', collection: POST, rkey: rkeyOf(1) }]);
    const heard: HeadChange[] = [];
    repo.onChange((change) => heard.push(change));
    for (const since of [rev, undefined]) {
      const before = await describe(repo);
      const car = await readAll(host.exportCar({ since }));
      const tried = await repo.importCar(car, { dryRun: true, meta: { 'app:x': '1' } });
      assertEqual([tried.created, tried.deleted, tried.unchanged], [3, 1, 59], 'its counts');
      assertEqual([tried.changes.count, (await listOf(tried.changes)).length], [4, 4], 'its changes');
      assertEqual(await describe(repo), before, 'nothing has changed');
      assertEqual(await repo.meta.get('app:x'), undefined, 'no meta value');
    }
    assertEqual(heard, [], 'no listener hears of it');
    const done = await repo.importCar(host.exportCar({ since: rev }));
    assertEqual([done.created, done.deleted, done.unchanged], [3, 1, 59], 'the import');
  }),

  overCopy('an older head is refused, or replaces the head with rollback', async (repo, host) => {
    const old = await readAll(host.exportCar());
    const { rev } = (await host.head())!;
    await host.write(creates(3, 60));
    await repo.importCar(host.exportCar({ since: rev }));
    const newer = await headText(repo);
    await assertRejects(() => repo.importCar(old), 'OutdatedRev', 'an older head');
    const heard: HeadChange[] = [];
    repo.onChange((change) => heard.push(change));
    const { replaced, deleted } = await repo.importCar(old, { rollback: true });
    assertEqual(deleted, 3, 'records of later commits');
    assertEqual(String((await repo.refs()).get(replaced!)), newer, 'a ref keeps the old head');
    assertEqual(
      heard.map(({ reset, deleted: gone }) => [reset, gone.length]),
      [[true, 3]],
      'listeners',
    );
    assertEqual((await repo.verify()).faults, [], 'no fault');
    await repo.gc(AT_ONCE);
    assertEqual((await listOf(repo.diff(replaced))).length, 3, 'the old head is still readable');
  }),

  overCopy('another commit with the rev of the head is refused, or kept', async (repo, host) => {
    const { rev, cid } = (await host.head())!;
    const blocks = [...readCar(await readAll(host.exportCar()))];
    await host.put(POST, rkeyOf(0), post('other'));
    const { data } = (await host.head())!;
    const fork = await createCommit({ did: DID, data, rev: rev as Tid }, KEY);
    const car = writeCar([fork.cid], [fork, ...blocks, ...readCar(await readAll(host.exportCar({ since: rev })))]);
    await assertRejects(() => repo.importCar(car), 'OutdatedRev', 'a fork');
    const { replaced, updated } = await repo.importCar(car, { onFork: 'keep' });
    assertEqual(updated, 1, 'its change');
    assertEqual(String((await repo.refs()).get(replaced!)), String(cid), 'a ref keeps the old head');
    assertEqual(await headText(repo), String(fork.cid), 'the fork is the head');
    assertEqual((await repo.verify()).faults, [], 'no fault');
  }),

  overMore(
    'two commits of version 2 can follow each other, although they have no rev',
    async (repo, make) => {
      const host = await make();
      for (const text of ['first', 'second', 'third']) {
        await host.put(POST, 'a', post(text));
        const { data } = (await host.head())!;
        const fields = { did: DID, version: 2, data, rev: ZERO_TID as Tid, prev: null } as const;
        const sig = await KEY.sign(encodeCommit({ ...fields, sig: undefined }));
        const bytes = encodeCommit({ ...fields, sig: sig as Bytes });
        const cid = cidOf(CODEC_DAG_CBOR, bytes);
        const car = writeCar([cid], [{ cid, bytes }, ...readCar(await readAll(host.exportCar()))]);
        await repo.importCar(car, { key: KEY.did() });
        assertEqual(await headText(repo), cidToText(cid), 'the head');
        assertEqual((await repo.get(POST, 'a'))?.value.text, text, 'its record');
      }
      assertEqual((await repo.verify()).faults, [], 'no fault');
    },
    null,
  ),

  overMore('reads and writes continue during an import', async (repo, make) => {
    await repo.write(creates(3));
    const car = await newerCar(make);
    const branch = repo.branch('draft');
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow = (async function* () {
      yield car.subarray(0, car.length >> 1);
      await gate;
      yield car.subarray(car.length >> 1);
    })();
    const importing = repo.importCar(slow);
    await branch.put(POST, 'later', post('later'));
    assertEqual((await repo.info()).records, 3, 'the old head');
    assertEqual((await repo.get(POST, rkeyOf(1)))?.value.text, 'post 1', 'a record of it');
    release();
    assertEqual((await importing).unchanged, 3, 'the import');
    assertEqual((await repo.info()).records, 40, 'the new head');
    assertEqual((await branch.get(POST, 'later'))?.value.text, 'later', 'the record of the branch');
    assert((await repo.verify()).ok, 'it is sound');
  }),

  overMore('an import is checked against the head at its end', async (repo, make) => {
    await repo.write(creates(3));
    const car = await newerCar(make);
    const late = (async function* () {
      yield car.subarray(0, 1000);
      await repo.put(POST, 'meanwhile', post('meanwhile'));
      yield car.subarray(1000);
    })();
    await assertRejects(
      () => repo.importCar(late),
      'OutdatedRev',
      'an older CAR than a record that was written meanwhile',
    );
    assertEqual((await repo.info()).records, 4, 'nothing is lost');
  }),

  overMore('an import that stops while it reads ends its source', async (repo, make) => {
    const car = await newerCar(make);
    const abort = new AbortController();
    let isEnded = false;
    const source = (async function* () {
      try {
        for (let at = 0; at < car.length; at += 1000) {
          yield car.slice(at, at + 1000);
          // A worker has to hear of the abort.
          await new Promise<void>((resolve) => setTimeout(resolve, 10));
        }
      } finally {
        isEnded = true;
      }
    })();
    const importing = repo.importCar(source, {
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('enough')),
    });
    const error = await rejectionOf(() => importing, 'an aborted import');
    for (let tries = 0; !isEnded && tries < 200; tries++) {
      await new Promise<void>((resolve) => setTimeout(resolve, 10));
    }
    assertEqual([(error as Error).message, isEnded], ['enough', true], 'the reason, and the end of the source');
    assertEqual((await repo.info()).records, 0, 'nothing has changed');
  }),
];
