/** The contract of `BlockStore`: a second store on the same repository. */
import type { BlockStore } from '../../core/storage/ports.ts';
import type { Case } from '../case.ts';
import { assertEqual, assertRejects, skip } from '../case.ts';
import type { BlockStoreHarness } from './block-store-harness.ts';
import { listOf } from '../../core/data/list-of.ts';
import { blockOf, cidsOf, put, revOf, textsOf } from './block-store-harness.ts';

const [a, b, c] = [blockOf(0), blockOf(1), blockOf(2)];

/** Returns a case over two open stores on one repository. */
const shared = (
  name: string,
  run: (first: BlockStore, second: BlockStore, harness: BlockStoreHarness) => Promise<void>,
): Case<BlockStoreHarness> => ({
  name: `two owners: ${name}`,
  run: async (harness) => {
    const first = await harness.open();
    if (first.exclusive) {
      await first.close();
      skip('the store has one owner at a time');
    }
    const openBeside = harness.openBeside?.bind(harness) ?? skip('the harness cannot open a second store');
    const second = await openBeside();
    await run(first, second, harness);
    await first.close();
    await second.close();
  },
});

export const blockStoreOwnerCases: readonly Case<BlockStoreHarness>[] = [
  {
    name: 'one owner: a second owner is refused until the first has closed',
    async run(harness) {
      const store = await harness.open();
      if (!store.exclusive) {
        await store.close();
        skip('the store allows several owners');
      }
      const openSecond = harness.openSecond?.bind(harness) ?? skip('the harness cannot open a second store');
      await put(store, [a, b]);
      await assertRejects(openSecond, 'Locked', 'the second owner');
      assertEqual(await store.getMany(cidsOf([a, b, c])), [a.bytes, b.bytes, undefined], 'the blocks');
      await store.close();
      const again = await harness.open();
      assertEqual(await again.getMany(cidsOf([a, b, c])), [a.bytes, b.bytes, undefined], 'the blocks');
      await again.close();
    },
  },

  shared('each sees completed changes of the other', async (first, second) => {
    await first.transact(async (change) => {
      await change.put([a]);
      await change.setRef('main', a.cid);
      await change.setMeta('message', 'of the first');
      await change.addCommit(revOf(1), a.cid);
    });
    assertEqual(await textsOf(second.refs()), [`main ${a.cid}`], 'refs');
    assertEqual(await second.get(a.cid), a.bytes, 'the block');
    assertEqual(await second.meta('message'), 'of the first', 'the message');
    assertEqual(await textsOf(second.commits()), [`${revOf(1)} ${a.cid}`], 'commits');
    await second.transact(async (change) => {
      assertEqual(String(await change.ref('main')), String(a.cid), 'the head inside the change');
      assertEqual(await change.put([a, b]), [false, true], 'which blocks are new');
      await change.setRef('main', b.cid);
      await change.remove([a.cid]);
    });
    assertEqual(String(await first.ref('main')), String(b.cid), 'the head');
    assertEqual((await listOf(first.cids())).map(String), [String(b.cid)], 'the blocks');
    assertEqual(await first.count(), 1, 'the number of blocks');
  }),

  shared('their changes run one after the other: each reads the head of the last one', async (first, second) => {
    const stores = [first, second];
    let running = 0;
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        stores[n % 2]!.transact(async (change) => {
          running += 1;
          assertEqual(running, 1, 'how many changes run at a time');
          const count = Number((await change.meta('counter')) ?? 0);
          await change.put([blockOf(n)]);
          await new Promise<void>((resolve) => setTimeout(resolve, 0));
          await change.setMeta('counter', String(count + 1));
          await change.setRef('main', blockOf(n).cid);
          running -= 1;
        }),
      ),
    );
    for (const store of stores) {
      assertEqual(await store.meta('counter'), '40', 'how many counted');
      assertEqual(await store.count(), 40, 'the number of blocks');
    }
    assertEqual(String(await first.ref('main')), String(await second.ref('main')), 'the head');
  }),

  shared('the other does not see a failed change', async (first, second) => {
    await put(first, [a]);
    await first
      .transact(async (change) => {
        await change.put([b]);
        await change.setRef('main', b.cid);
        throw new Error('half way');
      })
      .catch(() => undefined);
    assertEqual(await second.ref('main'), undefined, 'the head');
    assertEqual(await put(second, [a, b]), [false, true], 'which blocks are new');
  }),

  shared('the other sees no ref, meta value, commit or removal of a running change', async (first, second) => {
    await put(first, [a]);
    await first.transact(async (change) => {
      await change.setRef('main', a.cid);
      await change.setMeta('message', 'early');
      await change.addCommit(revOf(1), a.cid);
      await change.remove([a.cid]);
      assertEqual(await listOf(second.refs()), [], 'refs');
      assertEqual(await second.meta('message'), undefined, 'the message');
      assertEqual(await listOf(second.commits()), [], 'commits');
      assertEqual(await second.get(a.cid), a.bytes, 'the removed block');
    });
    assertEqual(String(await second.ref('main')), String(a.cid), 'the head afterwards');
    assertEqual(await second.get(a.cid), undefined, 'the removed block afterwards');
  }),

  shared('closing one keeps the other open', async (first, second) => {
    await put(first, [a]);
    await first.close();
    await assertRejects(() => first.get(a.cid), 'Closed', 'the closed one');
    assertEqual(await second.get(a.cid), a.bytes, 'the block');
    assertEqual(await put(second, [b]), [true], 'a change');
  }),
];
