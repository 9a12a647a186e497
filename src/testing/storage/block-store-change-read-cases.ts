/** The contract of `BlockStore`: reads in a change see its earlier writes, in order. */
import type { BlockChange, BlockStore, StoreReader } from '../../core/storage/ports.ts';
import type { Case } from '../case.ts';
import { assertEqual, assertRejects } from '../case.ts';
import type { BlockStoreHarness } from './block-store-harness.ts';
import { listOf } from '../../core/data/list-of.ts';
import { blockOf, blocksOf, cidsOf, put, revOf, textsOf } from './block-store-harness.ts';

const [a, b, c] = [blockOf(0), blockOf(1), blockOf(2)];

/** Returns a case over one store with blocks, refs, meta values and commits. */
const over = (name: string, run: (store: BlockStore) => Promise<void>): Case<BlockStoreHarness> => ({
  name: `change: reads: ${name}`,
  run: async (harness) => {
    const store = await harness.open();
    await store.transact(async (change) => {
      await change.put([a, b]);
      await change.setRef('main', a.cid);
      await change.setRef('tag', b.cid);
      await change.setMeta('app:b', 'first');
      await change.addCommit(revOf(2), a.cid);
      await change.addCommit(revOf(4), b.cid);
    });
    await run(store);
    await store.close();
  },
});

const namesOf = async (list: AsyncIterable<readonly [string, unknown]>): Promise<string[]> =>
  (await listOf(list)).map(([name]) => name);

/** Returns the whole content of a reader, as texts. */
const seenBy = async (reader: StoreReader): Promise<string[]> => [
  ...(await textsOf(reader.refs())),
  ...(await textsOf(reader.commits())),
  ...(await textsOf(reader.commits({ reverse: true }))),
  ...(await listOf(reader.metaEntries('app:'))).map(([name, value]) => `${name}=${value}`),
  ...(await listOf(reader.cids())).map(String),
  ...(await reader.getMany(cidsOf([a, b, c]))).map(String),
  `${await reader.ref('main')} ${await reader.ref('tag')} ${await reader.ref('new')}`,
  `${await reader.commit(revOf(2))} ${await reader.commit(revOf(3))} ${await reader.commit(revOf(4))}`,
  `${await reader.meta('app:a')} ${await reader.meta('app:b')}`,
];

const changeAll = async (change: BlockChange): Promise<void> => {
  await change.put([c]);
  await change.remove([a.cid]);
  await change.setRef('new', c.cid);
  await change.setRef('tag', undefined);
  await change.setRef('main', b.cid);
  await change.setMeta('app:a', 'new');
  await change.setMeta('app:b', undefined);
  await change.setMeta('app:c', 'last');
  await change.addCommit(revOf(1), c.cid);
  await change.addCommit(revOf(3), c.cid);
  await change.addCommit(revOf(4), c.cid);
  await change.removeCommit(revOf(2));
};

export const blockStoreChangeReadCases: readonly Case<BlockStoreHarness>[] = [
  over('at first it sees what the store sees', async (store) => {
    const outside = await seenBy(store);
    await store.transact(async (change) => assertEqual(await seenBy(change), outside, 'what the change sees'));
  }),

  over('it sees its own writes and removals, and the store sees the same afterwards', async (store) => {
    const inside = await store.transact(async (change) => {
      await changeAll(change);
      assertEqual(await textsOf(change.refs()), [`main ${b.cid}`, `new ${c.cid}`], 'refs');
      assertEqual(
        await textsOf(change.commits()),
        [`${revOf(1)} ${c.cid}`, `${revOf(3)} ${c.cid}`, `${revOf(4)} ${c.cid}`],
        'commits',
      );
      assertEqual((await listOf(change.metaEntries('app:'))).flat(), ['app:a', 'new', 'app:c', 'last'], 'meta values');
      assertEqual((await listOf(change.cids())).map(String), cidsOf([b, c]).map(String).sort(), 'blocks');
      return seenBy(change);
    });
    assertEqual(await seenBy(store), inside, 'what the store sees afterwards');
  }),

  over('each write is seen by the next read', async (store) => {
    await store.transact(async (change) => {
      for (const cid of [b.cid, undefined, a.cid]) {
        await change.setRef('main', cid);
        assertEqual(String(await change.ref('main')), String(cid), 'the ref');
        assertEqual((await namesOf(change.refs())).includes('main'), cid !== undefined, 'the ref in the list');
      }
      for (const value of ['one', undefined, '']) {
        await change.setMeta('app:b', value);
        assertEqual(await change.meta('app:b'), value, 'the meta value');
        assertEqual(await namesOf(change.metaEntries('app:b')), value === undefined ? [] : ['app:b'], 'in the list');
      }
      await change.removeCommit(revOf(4));
      assertEqual(await change.commit(revOf(4)), undefined, 'the removed commit');
      await change.addCommit(revOf(4), c.cid);
      assertEqual(String(await change.commit(revOf(4))), String(c.cid), 'the restored commit');
      await change.remove([a.cid]);
      assertEqual((await listOf(change.cids())).map(String), [String(b.cid)], 'without the removed block');
      await change.put([a]);
      assertEqual((await listOf(change.cids())).length, 2, 'with the restored block');
    });
  }),

  over('lists have one order of stored and new entries', async (store) => {
    const names = ['', 'a', 'm', 'main2', 'z', '\u00e9', '\ufffd', '\u{1f980}'];
    await store.transact(async (change) => {
      for (const name of [...names].reverse()) {
        await change.setRef(name, c.cid);
        await change.setMeta(`app:${name}`, 'value');
      }
      for (const n of [5, 3, 1]) {
        await change.addCommit(revOf(n), c.cid);
      }
      const refs = ['', 'a', 'm', 'main', 'main2', 'tag', 'z', '\u00e9', '\ufffd', '\u{1f980}'];
      assertEqual(await namesOf(change.refs()), refs, 'refs');
      const entries = ['', 'a', 'b', 'm', 'main2', 'z', '\u00e9', '\ufffd', '\u{1f980}'].map((name) => `app:${name}`);
      assertEqual(await namesOf(change.metaEntries('app:')), entries, 'meta values');
      const revs = [1, 2, 3, 4, 5].map((n): string => revOf(n));
      assertEqual(await namesOf(change.commits()), revs, 'commits');
      assertEqual(await namesOf(change.commits({ reverse: true })), [...revs].reverse(), 'commits in reverse');
      const between = { after: revOf(1), before: revOf(5) };
      assertEqual(await namesOf(change.commits(between)), revs.slice(1, 4), 'commits between two');
      assertEqual(
        await namesOf(change.commits({ ...between, reverse: true })),
        revs.slice(1, 4).reverse(),
        'commits between two in reverse',
      );
    });
  }),

  over('blocks in it are listed in the order of the store', async (store) => {
    const blocks = blocksOf(600);
    await store.transact(async (change) => {
      await change.put(blocks.slice(2));
      await change.remove(cidsOf(blocks.slice(300, 350)));
      const left = [...blocks.slice(0, 300), ...blocks.slice(350)];
      assertEqual((await listOf(change.cids())).map(String), cidsOf(left).map(String).sort(), 'the CIDs');
    });
  }),

  over('a list shows the names of its start while the change continues', async (store) => {
    await store.transact(async (change) => {
      const seen: string[] = [];
      for await (const [name] of change.refs()) {
        seen.push(name);
        await change.setRef(name, undefined);
        await change.setRef(`${name} again`, a.cid);
      }
      assertEqual(seen, ['main', 'tag'], 'the names');
      assertEqual(await namesOf(change.refs()), ['main again', 'tag again'], 'the names afterwards');
    });
  }),

  over('writes of a failed change cannot be read', async (store) => {
    const before = await seenBy(store);
    await store
      .transact(async (change) => {
        await changeAll(change);
        await seenBy(change);
        throw new Error('half way');
      })
      .catch(() => undefined);
    assertEqual(await seenBy(store), before, 'the state');
    await store.transact(async (change) => assertEqual(await seenBy(change), before, 'the next change'));
  }),

  over('calls that nobody awaits take effect in their order', async (store) => {
    const many = blocksOf(12_000).slice(3);
    const last = many.at(-1)!;
    let unawaited: Promise<unknown> | undefined;
    await store.transact(async (change) => {
      unawaited = change.put(many);
      const reads = [change.get(last.cid), change.getMany([c.cid, last.cid]), listOf(change.cids())] as const;
      const [one, some, all] = await Promise.all(reads);
      assertEqual([one, some, all.length], [last.bytes, [undefined, last.bytes], many.length + 2], 'reads of a put');
      const calls = [
        change.put([c]),
        change.remove([c.cid, a.cid]),
        change.put([a]),
        change.setMeta('app:b', 'second'),
      ];
      const seen = await Promise.all([change.get(c.cid), change.get(a.cid), change.meta('app:b')]);
      assertEqual(seen, [undefined, a.bytes, 'second'], 'reads of later calls');
      assertEqual((await Promise.all(calls)).slice(0, 3), [[true], undefined, [true]], 'which blocks are new');
      for (const value of ['third', 'last']) {
        void change.setMeta('app:b', value);
        void change.setRef('main', b.cid);
        void change.addCommit(revOf(5), b.cid);
      }
    });
    await unawaited;
    assertEqual(await store.getMany(cidsOf([a, c, last])), [a.bytes, undefined, last.bytes], 'the blocks');
    assertEqual([await store.meta('app:b'), String(await store.ref('main'))], ['last', String(b.cid)], 'the values');
    assertEqual(String(await store.commit(revOf(5))), String(b.cid), 'the commit');
  }),

  over('a put that is not complete when run ends is part of the change', async (store) => {
    const many = blocksOf(12_000);
    let late: BlockChange | undefined;
    await store.transact(async (change) => {
      late = change;
      void change.put(many);
    });
    assertEqual(await store.count(), many.length, 'blocks');
    await assertRejects(() => late!.put([c]), 'Closed', 'put after the end');
    await assertRejects(() => late!.get(c.cid), 'Closed', 'get after the end');
    await assertRejects(() => listOf(late!.cids()), 'Closed', 'a list after the end');
    await assertRejects(() => late!.setMeta('app:b', 'late'), 'Closed', 'setMeta after the end');
    assertEqual(await store.meta('app:b'), 'first', 'the value');
  }),

  over('it reads while the store is closing', async (store) => {
    await put(store, [c]);
    let closing: Promise<void> | undefined;
    await store.transact(async (change) => {
      closing = store.close();
      await Promise.resolve();
      assertEqual(String(await change.ref('main')), String(a.cid), 'a ref');
      assertEqual((await listOf(change.cids())).length, 3, 'the blocks');
    });
    await closing;
  }),
];
