/** The stored counts of the collections: right after each kind of change, read without the tree, and checked. */
import { describe, expect, test } from 'vitest';
import { readAll } from '../../../../src/core/data/streams.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { COUNTS } from '../../../../src/core/repo/store-names.ts';
import type { Repo, WriteOp } from '../../../../src/core/repo/repo.ts';
import { seeded } from '../../../random/seeded.ts';
import { DID, KEY, LIKE, POST, POSTGATE, creates, post, rkeyOf } from '../../../../src/testing/repo/harness.ts';
import { CountingStore } from './counting-store.ts';

const open = (store: MemoryBlockStore): Repo =>
  repoOver({ did: DID, signer: KEY, store, blobs: new MemoryBlobStore() });

const valued = (collection: string, text: string) => ({ ...post(text), $type: collection });

const counted = async (repo: Repo) => {
  const counts: Record<string, number> = {};
  for await (const { collection } of (await repo.checkout()).entries()) {
    counts[collection] = (counts[collection] ?? 0) + 1;
  }
  return Object.entries(counts).map(([collection, count]) => ({ collection, count }));
};

// A collection that sorts before POST with the slash, and after it without.
const COLLECTIONS = [POST, POSTGATE, LIKE, `${POST}-x.y`];

describe('the counts of the collections', () => {
  test.each([1, 2, 3])('are right after any sequence of changes, also of another opening (seed %i)', async (seed) => {
    const random = seeded(seed);
    const below = (count: number): number => Math.floor(random() * count);
    const store = new MemoryBlockStore();
    let repo = open(store);
    await repo.write(creates(50));
    const kept = await readAll(repo.exportCar());
    const moves: (() => Promise<unknown>)[] = [
      () => {
        const collection = COLLECTIONS[below(4)]!;
        return repo.put(collection, rkeyOf(below(40)), valued(collection, `${below(1e6)}`));
      },
      () => repo.delete(COLLECTIONS[below(4)]!, rkeyOf(below(40))),
      () => repo.write(creates(5, 100 + below(1e6) * 5).filter((_, i) => i < 4)),
      async () => {
        const tree = await repo.checkout();
        await repo.commit(await tree.put(LIKE, rkeyOf(below(40)), valued(LIKE, `tree ${below(1e6)}`)));
      },
      async () => {
        const revs: string[] = [];
        for await (const { rev } of repo.log()) {
          revs.push(rev);
        }
        await repo.reset(revs[below(revs.length)]!);
      },
      () => repo.importCar(kept, { rollback: true }),
      () => repo.gc({ keep: 1 }),
      async () => {
        repo = open(store);
      },
      async () => {
        const branch = repo.branch('draft');
        await branch.put(LIKE, rkeyOf(below(40)), valued(LIKE, `branch ${below(1e6)}`));
        expect((await branch.collections()).length).toBeGreaterThan(0);
      },
    ];
    for (let i = 0; i < 150; i++) {
      await moves[below(moves.length)]!();
      if (below(3) === 0) {
        expect(await repo.collections()).toEqual(await counted(repo));
      }
    }
    expect(await repo.collections()).toEqual(await counted(repo));
    expect(await repo.verify()).toMatchObject({ ok: true });
  });

  test('are in the order of the tree', async () => {
    const store = new MemoryBlockStore();
    const write = COLLECTIONS.map(
      (collection): WriteOp => ({
        action: 'create',
        collection,
        rkey: 'a',
        value: valued(collection, 'a'),
      }),
    );
    await open(store).write(write);
    const collections = await open(store).collections();
    expect(collections).toEqual(await counted(open(store)));
    expect(collections.map(({ collection }) => collection)).toEqual([LIKE, `${POST}-x.y`, POST, POSTGATE]);
  });

  test('are read without the tree: after local commits, imports, and the next opening of both', async () => {
    const store = new CountingStore();
    await open(store).write(creates(2000));
    await open(store).put(POST, 'last', post('last'));
    const car = await readAll(open(store).exportCar());
    const copy = new CountingStore();
    await open(copy).importCar(car);
    for (const one of [store, copy]) {
      one.reads = 0;
      const repo = open(one);
      expect(await repo.collections()).toEqual([{ collection: POST, count: 2001 }]);
      expect((await repo.info()).records).toBe(2001);
      // The commit.
      expect(one.reads).toBe(1);
    }
  });

  test('of a tree that is committed are updated by its difference', async () => {
    const store = new CountingStore();
    await open(store).write(creates(2000));
    const repo = open(store);
    await repo.commit(await (await repo.checkout()).put(LIKE, 'a', valued(LIKE, 'a')));
    store.reads = 0;
    const found = await open(store).collections();
    expect(found).toEqual([
      { collection: LIKE, count: 1 },
      { collection: POST, count: 2000 },
    ]);
    expect(store.reads).toBeLessThan(40);
  });

  test('that are wrong are a fault for verify, and repair removes them', async () => {
    const store = new MemoryBlockStore();
    const repo = open(store);
    await repo.write(creates(20));
    await store.transact(async (change) => {
      await change.setMeta(COUNTS, (await store.meta(COUNTS))!.replace('=20', '=21'));
    });
    expect(await open(store).collections()).toEqual([{ collection: POST, count: 21 }]);
    const { ok, faults } = await open(store).verify();
    expect({ ok, faults }).toEqual({
      ok: false,
      faults: [
        { code: 'Corrupt', message: 'the stored counts of the collections are wrong: run repair', path: 'counts' },
      ],
    });
    const opened = open(store);
    await opened.repair();
    expect(await opened.collections()).toEqual([{ collection: POST, count: 20 }]);
    expect((await opened.verify()).ok).toBe(true);
  });

  test.each([
    '',
    'x',
    'bafy a.b.c=1',
    `${'a.b.c=1 '.repeat(3)}`,
    'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm a.b.c=-1',
  ])('that cannot be read are counted: %s', async (text) => {
    const store = new MemoryBlockStore();
    await open(store).write(creates(20));
    await store.transact((change) => change.setMeta(COUNTS, text));
    expect(await open(store).collections()).toEqual([{ collection: POST, count: 20 }]);
  });

  test('of more than a thousand collections are not stored', async () => {
    const store = new MemoryBlockStore();
    const repo = open(store);
    await repo.write(
      Array.from({ length: 1001 }, (_, i): WriteOp => {
        const collection = `app.test.c${i}`;
        return { action: 'create', collection, rkey: 'a', value: valued(collection, 'a') };
      }),
    );
    expect(await store.meta(COUNTS)).toBeUndefined();
    expect((await open(store).collections()).length).toBe(1001);
  });
});
