/** Revs after a clock was ahead: results of writes, faults of verify, and recommit. */
import { readAll } from '../../../../src/core/data/streams.ts';
import { beforeEach, expect, test } from 'vitest';
import { createCommit } from '../../../../src/core/repo/commit.ts';
import { tidOf } from '../../../../src/core/syntax/tid.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import { listOf } from '../../../../src/core/data/list-of.ts';
import { DID, KEY, OTHER_KEY, POST, creates, post } from '../../../../src/testing/repo/harness.ts';

const YEAR = 365 * 24 * 60 * 60 * 1000;

let store: MemoryBlockStore;
let repo: Repo;

const repoIn = (blocks: MemoryBlockStore): Repo =>
  repoOver({ did: DID, signer: KEY, store: blocks, blobs: new MemoryBlobStore() });

beforeEach(() => {
  store = new MemoryBlockStore();
  repo = repoIn(store);
});

/** Writes two records, and leaves a head that was signed by a clock a year ahead. Returns its time. */
const writeAhead = async (): Promise<number> => {
  await repo.write(creates(2));
  const { data } = (await repo.head())!;
  const time = Date.now() + YEAR;
  const { bytes, cid, commit } = await createCommit({ did: DID, data, rev: tidOf(time * 1000, 0) }, KEY);
  await store.transact(async (change) => {
    await change.put([{ cid, bytes }]);
    await change.setRef('main', cid);
    await change.addCommit(commit.rev, cid);
  });
  return time;
};

test('a write on a head in the future reports how far ahead it is', async () => {
  await writeAhead();
  const { clockAhead, commit } = await repo.put(POST, 'a', post('a'));
  expect(clockAhead).toBeGreaterThan(YEAR - 60_000);
  expect(commit.clockAhead).toBe(clockAhead);
  expect((await repo.write([])).clockAhead).toBeGreaterThan(YEAR - 60_000);
  expect((await repo.delete(POST, 'a'))?.clockAhead).toBeGreaterThan(YEAR - 60_000);
  const tree = await (await repo.checkout()).put(POST, 'b', post('b'));
  expect((await repo.commit(tree)).clockAhead).toBeGreaterThan(YEAR - 60_000);
});

test('verify reports a rev in the future, and nothing for a present rev', async () => {
  await repo.put(POST, 'now', post('now'));
  expect(await repo.verify()).not.toHaveProperty('clockAhead');
  await writeAhead();
  const report = await repo.verify();
  expect(report.faults.map(({ code, path }) => `${code} ${path}`)).toEqual(['FutureRev main']);
  expect(report.clockAhead).toBeGreaterThan(YEAR - 60_000);
});

test('recommit signs the same records at the present time, and other repositories import them', async () => {
  const time = await writeAhead();
  const old = (await repo.head())!;
  const other = repoIn(new MemoryBlockStore());
  await expect(other.importCar(repo.exportCar())).rejects.toMatchObject({ code: 'FutureRev' });
  const { rev, ref, ignoredUntil, warning } = await repo.recommit({ rev: 'now' });
  const head = (await repo.head())!;
  expect([head.rev, String(head.data), head.signed]).toEqual([rev, String(old.data), true]);
  expect(String((await repo.refs()).get(ref!))).toBe(String(old.cid));
  expect(ref).toBe(`local-${old.rev}`);
  expect(ignoredUntil).toBe(new Date(time).toISOString());
  expect(warning).toContain(ignoredUntil);
  expect((await listOf(repo.log())).length).toBe(2);
  expect((await repo.verify({ key: KEY.did!() })).ok).toBe(true);
  expect((await other.importCar(await readAll(repo.exportCar()), { key: KEY.did!() })).created).toBe(2);
  const next = await repo.put(POST, 'next', post('next'));
  expect([next.clockAhead, next.commit.rev > rev]).toEqual([undefined, true]);
  expect(next.commit.rev < old.rev).toBe(true);
  await repo.gc();
  const { whole, steps } = await repo.repair();
  expect([whole, steps]).toEqual([true, []]);
});

test('recommit drops named writes, and needs the right key and a head', async () => {
  await expect(repo.recommit({ rev: 'now' })).rejects.toMatchObject({ code: 'HeadNotFound' });
  await expect(repo.recommit({ rev: 'later' as never })).rejects.toThrow(TypeError);
  await writeAhead();
  await repo.put(POST, 'named', post('named'), { request: { id: 'a' } });
  await expect(repo.recommit({ rev: 'now', signer: OTHER_KEY })).rejects.toMatchObject({ code: 'InvalidSigner' });
  await repo.recommit({ rev: 'now' });
  const again = { since: undefined };
  await expect(repo.put(POST, 'named', post('x'), { request: { id: 'a', again } })).rejects.toMatchObject({
    code: 'OutcomeUnknown',
  });
});
