/** Random damage: a repository that a repair reports as whole passes `verify`, and a second repair finds nothing. */
import { expect, test } from 'vitest';
import type { CID } from '../../src/core/data/cid.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import type { BlockChange } from '../../src/core/storage/ports.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import type { Tid } from '../../src/core/syntax/tid.ts';
import { DID, KEY, POST, creates, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import { seeded } from '../random/seeded.ts';

interface Sample {
  readonly repo: Repo;
  readonly store: MemoryBlockStore;
  readonly cids: readonly CID[];
  readonly commits: readonly (readonly [rev: Tid, cid: CID])[];
}

const COMMITS = 7;

const makeSample = async (): Promise<Sample> => {
  const store = new MemoryBlockStore(DID);
  const repo = repoOver({ did: DID, store, blobs: new MemoryBlobStore(), signer: KEY });
  const image = await repo.putBlob(new Uint8Array(100).fill(7), { mimeType: 'image/png' });
  await repo.write(creates(30));
  await repo.put(POST, rkeyOf(90), { ...post('with an image'), image });
  for (let n = 0; n < COMMITS - 2; n++) {
    await repo.put(POST, rkeyOf(n * 5), post(`changed ${n}`));
    if (n === 1) {
      await repo.setRef('branch', 'main');
      await repo.delete(POST, rkeyOf(7));
    }
  }
  const cids: CID[] = [];
  for await (const cid of store.cids()) {
    cids.push(cid);
  }
  const commits: [Tid, CID][] = [];
  for await (const entry of store.commits()) {
    commits.push(entry);
  }
  return { repo, store, cids, commits };
};

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
};

type Damage = (sample: Sample, random: () => number) => (change: BlockChange) => Promise<unknown>;

const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

/** Other bytes under a CID. A store does not replace a block, so the block is removed first. */
const flip = async ({ store, cids }: Sample, random: () => number): Promise<void> => {
  const cid = pick(random, cids);
  const bytes = await store.get(cid);
  if (bytes !== undefined) {
    await store.transact((change) => change.remove([cid]));
    const changed = bytes.slice();
    changed[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
    await store.transact((change) => change.put([{ cid, bytes: changed }]));
  }
};

const rows: readonly Damage[] = [
  ({ cids }, random) => {
    const cid = pick(random, cids);
    return (change) => change.remove([cid]);
  },
  ({ commits }, random) => {
    const [, cid] = pick(random, commits);
    return (change) => change.setRef('main', cid);
  },
  ({ cids }, random) => {
    const cid = pick(random, cids);
    return (change) => change.setRef(random() < 0.5 ? 'main' : 'branch', cid);
  },
  () => (change) => change.setRef('main', undefined),
  ({ commits }, random) => {
    const [rev] = pick(random, commits);
    return (change) => change.removeCommit(rev);
  },
  ({ commits, cids }, random) => {
    const [rev] = pick(random, commits);
    const cid = pick(random, cids);
    return (change) => change.addCommit(rev, cid);
  },
];

interface Outcome {
  readonly whole: boolean;
  readonly dropped: number;
}

const damageAndRepair = async (seed: number): Promise<Outcome> => {
  const random = seeded(seed);
  const sample = await makeSample();
  const { repo, store } = sample;
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    if (random() < 0.5) {
      await flip(sample, random);
    } else {
      const damage = pick(random, rows)(sample, random);
      await store.transact(async (change) => void (await damage(change)));
    }
  }
  const { whole, steps } = await repo.repair();
  const { faults } = await repo.verify();
  if (whole) {
    expect(faults, `seed ${seed}`).toEqual([]);
    // Every commit that is still listed is readable to its last record.
    for await (const { cid } of repo.log()) {
      const tree = await repo.checkout(cid);
      for await (const { collection, rkey } of tree.entries()) {
        expect(await tree.get(collection, rkey), `seed ${seed} ${cidToText(cid)}`).toBeDefined();
      }
    }
  }
  const again = await repo.repair();
  expect(again.steps, `seed ${seed}`).toEqual([]);
  expect(again.whole).toBe(whole);
  return { whole, dropped: steps.filter(({ action }) => action === 'dropCommit' || action === 'dropRef').length };
};

const SEEDS = 150;

test(`${SEEDS} damaged repositories: a repository that a repair reports as whole passes verify`, async () => {
  const outcomes: Outcome[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    outcomes.push(await damageAndRepair(seed));
  }
  const whole = outcomes.filter((outcome) => outcome.whole);
  expect(whole.length).toBeGreaterThan(SEEDS / 4);
  expect(whole.length).toBeLessThan(SEEDS);
  expect(whole.filter(({ dropped }) => dropped > 0).length).toBeGreaterThan(SEEDS / 20);
});

test('commits with damage are removed from the history and listed, and sound refs and commits stay', async () => {
  const { repo, store } = await makeSample();
  const [oldest] = await collect(store.commits());
  const old = (await (await repo.checkout(oldest![1])).get(POST, rkeyOf(0)))!;
  await store.transact((change) => change.remove([old.cid]));
  expect((await repo.verify()).ok).toBe(false);
  const listed = (await collect(repo.log())).length;
  const dry = await repo.repair({ dryRun: true });
  const report = await repo.repair();
  expect(report).toEqual({ ...dry, dryRun: false });
  expect(report).toMatchObject({ whole: true, lost: [], lostCount: 0 });
  expect(report.steps.length).toBeGreaterThan(0);
  expect(report.stepCount).toBe(report.steps.length);
  for (const step of report.steps) {
    expect(step).toMatchObject({ action: 'dropCommit', message: expect.stringMatching(/records are missing/) });
  }
  expect(await collect(repo.log())).toHaveLength(listed - report.steps.length);
  expect((await repo.refs()).has('branch')).toBe(true);
  expect(await repo.verify()).toMatchObject({ ok: true, faults: [] });
});

test('while the head lacks a record, the history stays, because an import may restore the record', async () => {
  const { repo, store } = await makeSample();
  const { cid } = (await repo.get(POST, rkeyOf(3)))!;
  const bytes = (await store.get(cid))!;
  await store.transact((change) => change.remove([cid]));
  expect(await repo.repair()).toMatchObject({ whole: false, steps: [], lostCount: 1 });
  await store.transact(async (change) => void (await change.put([{ cid, bytes }])));
  expect(await repo.repair()).toMatchObject({ whole: true, steps: [] });
  expect((await repo.verify()).ok).toBe(true);
});
