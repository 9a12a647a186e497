/** Concurrent short changes become durable together, each with its own result. */
import { beforeEach, expect, test } from 'vitest';
import { CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { RepoError } from '../../../src/core/errors.ts';
import { GROUP_SIZE, groupingStore } from '../../../src/core/storage/grouping-store.ts';
import type { GroupingStore } from '../../../src/core/storage/grouping-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import type { BlockChange } from '../../../src/core/storage/ports.ts';
import { blockOf } from '../../../src/testing/storage/block-store-harness.ts';

/** Counts its changes. Can fail when it commits, or when it adds blocks. */
class FailingStore extends MemoryBlockStore {
  /** The number of changes that began. */
  changes = 0;
  failsAt: 'commit' | 'put' | undefined;

  override transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    return super.transact(async (change) => {
      this.changes += 1;
      const { put } = change;
      change.put = async (blocks) => {
        this.#fail('put');
        return put.call(change, blocks);
      };
      const result = await run(change);
      this.#fail('commit');
      return result;
    });
  }

  #fail(at: 'commit' | 'put'): void {
    if (this.failsAt === at) {
      this.failsAt = undefined;
      throw new RepoError('StorageFull', 'the disk is full');
    }
  }
}

let inner: FailingStore;
let store: GroupingStore;
let losses: number;

beforeEach(() => {
  inner = new FailingStore();
  losses = 0;
  store = groupingStore(inner, () => (losses += 1));
});

/** Adds one to a number in the meta values, and returns it. */
const increment = async (change: BlockChange): Promise<number> => {
  const count = Number((await change.meta('count')) ?? 0) + 1;
  await change.setMeta('count', String(count));
  return count;
};

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('concurrent changes are one change of the store; each sees those before it, and they end in order', async () => {
  const ended: number[] = [];
  const results = await Promise.all(
    range(100).map(async (i) => {
      const count = await store.together(increment);
      ended.push(i);
      return count;
    }),
  );
  expect(results).toEqual(range(100).map((i) => i + 1));
  expect(ended).toEqual(range(100));
  expect([inner.changes, await store.meta('count')]).toEqual([1, '100']);
});

test('changes join while others run, and sequential changes do not', async () => {
  await store.together(increment);
  await store.together(increment);
  expect(inner.changes).toBe(2);
  let joined: Promise<number> | undefined;
  await store.together(async (change) => {
    joined = store.together(increment);
    return increment(change);
  });
  expect([await joined, inner.changes]).toEqual([4, 3]);
});

test('no change ends before the group is durable, and no reader sees its names before', async () => {
  const seen: (string | undefined)[] = [];
  const ended: string[] = [];
  const first = store.together(increment).then(() => ended.push('first'));
  const second = store.together(async (change) => {
    seen.push(await inner.meta('count'), ...ended);
    return increment(change);
  });
  await Promise.all([first, second]);
  expect(seen).toEqual([undefined]);
});

test(`a change of the store has at most ${GROUP_SIZE} changes`, async () => {
  await Promise.all(range(2 * GROUP_SIZE + 1).map(() => store.together(increment)));
  expect([inner.changes, await store.meta('count')]).toEqual([3, String(2 * GROUP_SIZE + 1)]);
});

test('a change that throws is undone alone', async () => {
  const failure = new RepoError('RecordExists', 'there is one');
  const ends = await Promise.allSettled([
    store.together(async (change) => change.put([blockOf(0)])),
    store.together(async (change) => {
      await change.put([blockOf(0), blockOf(1), { cid: blockOf(2).cid.bytes, bytes: blockOf(2).bytes }]);
      await change.setRef('other', blockOf(1).cid);
      await change.setMeta('count', '7');
      await change.addCommit('3jzfcijpj2z2a' as never, blockOf(1).cid);
      throw failure;
    }),
    store.together(async (change) => [await increment(change), await change.get(blockOf(1).cid)]),
  ]);
  expect(ends).toEqual([
    { status: 'fulfilled', value: [true] },
    { status: 'rejected', reason: failure },
    { status: 'fulfilled', value: [1, undefined] },
  ]);
  expect([await store.count(), await store.ref('other'), inner.changes, losses]).toEqual([1, undefined, 1, 0]);
});

test('a removed block that a failed change has added again stays removed', async () => {
  await store.transact((change) => change.put([blockOf(0)]));
  const ends = await Promise.allSettled([
    store.together((change) => change.remove([blockOf(0).cid])),
    store.together(async (change) => {
      await change.put([blockOf(0)]);
      throw new Error('undone');
    }),
    store.together((change) => change.get(blockOf(0).cid)),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await store.get(blockOf(0).cid)).toBeUndefined();
});

test('if every change throws, the store rolls back, and each call rejects with its own error', async () => {
  const ends = await Promise.allSettled(
    range(3).map((i) =>
      store.together(async (change) => {
        await change.put([blockOf(i)]);
        throw new Error(`number ${i}`);
      }),
    ),
  );
  expect(ends.map((end) => (end as PromiseRejectedResult).reason.message)).toEqual([
    'number 0',
    'number 1',
    'number 2',
  ]);
  expect([await store.count(), losses]).toEqual([0, 0]);
});

test('if the storage fails, all changes that ran are lost, and later ones begin again', async () => {
  inner.failsAt = 'commit';
  const full = expect.objectContaining({ code: 'StorageFull' });
  const ends = await Promise.allSettled(range(3).map(() => store.together(increment)));
  expect(ends).toEqual(range(3).map(() => ({ status: 'rejected', reason: full })));
  expect([losses, await store.meta('count')]).toEqual([1, undefined]);
  inner.failsAt = 'put';
  const more = await Promise.allSettled([
    store.together(increment),
    // Also if the change ignores it.
    store.together((change) => change.put([blockOf(0)]).catch(() => 'ignored')),
    store.together(increment),
  ]);
  expect(more).toEqual([
    { status: 'rejected', reason: full },
    { status: 'rejected', reason: full },
    { status: 'fulfilled', value: 1 },
  ]);
  expect([losses, await store.count()]).toEqual([2, 0]);
});

test('a failure without a change that ran is no loss', async () => {
  await expect(store.transact(async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(losses).toBe(0);
  inner.failsAt = 'commit';
  await expect(store.transact(increment)).rejects.toMatchObject({ code: 'StorageFull' });
  expect(losses).toBe(1);
});

test('other changes keep their place between the groups', async () => {
  const order: string[] = [];
  const note = (name: string) => async () => void order.push(name);
  await Promise.all([
    store.together(note('a')),
    store.together(note('b')),
    store.transact(note('import')),
    store.together(note('c')),
    store.together(note('d')),
  ]);
  expect(order).toEqual(['a', 'b', 'import', 'c', 'd']);
  expect(inner.changes).toBe(3);
});

test('close waits for changes that have not begun; later ones reject', async () => {
  const early = [store.transact(increment), store.together(increment), store.together(increment)];
  const closing = store.close();
  expect(await Promise.all(early)).toEqual([1, 2, 3]);
  await closing;
  await expect(store.together(increment)).rejects.toMatchObject({ code: 'Closed' });
  await expect(store.transact(increment)).rejects.toMatchObject({ code: 'Closed' });
});

test('a change that has ended refuses calls, and a bad CID fails one change', async () => {
  let ended: BlockChange | undefined;
  const bad = { cid: cidOf(CODEC_RAW, new Uint8Array(1)).bytes.subarray(1), bytes: new Uint8Array(1) };
  const ends = await Promise.allSettled([
    store.together(async (change) => void (ended = change)),
    store.together((change) => change.put([bad as never])),
    store.together((change) => ended!.setMeta('a', String(change))),
    store.together(increment),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(ends[2]).toMatchObject({ reason: { code: 'Closed' } });
});
