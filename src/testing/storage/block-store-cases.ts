/**
 * The contract of `BlockStore`, as test cases for an adapter:
 *
 *     for (const { name, run } of blockStoreCases) test(name, async () => run(await makeHarness()));
 */
import type { BlockStore } from '../../core/storage/ports.ts';
import { blockStoreChangeReadCases } from './block-store-change-read-cases.ts';
import { blockStoreChangeCases } from './block-store-change-cases.ts';
import { listOf } from '../../core/data/list-of.ts';
import { blockOf, blockOfBytes, blocksOf, cidsOf, put, revOf, textsOf } from './block-store-harness.ts';
import type { BlockStoreHarness } from './block-store-harness.ts';
import { blockStoreLifeCases } from './block-store-life-cases.ts';
import { blockStoreOwnerCases } from './block-store-owner-cases.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual } from '../case.ts';
import { parseCid } from '../../core/data/cid.ts';

const [a, b, c] = [blockOf(0), blockOf(1), blockOf(2)];

/** Returns a case over one store, which is closed afterwards. */
const over = (name: string, run: (store: BlockStore) => Promise<void>): Case<BlockStoreHarness> => ({
  name,
  run: async (harness) => {
    const store = await harness.open();
    await run(store);
    await store.close();
  },
});

const readCases: readonly Case<BlockStoreHarness>[] = [
  over('a new store is empty', async (store) => {
    assertEqual(await store.ref('main'), undefined, 'the head');
    assertEqual(await store.meta('message'), undefined, 'a meta value');
    assertEqual(await store.commit(revOf(1)), undefined, 'a commit');
    assertEqual(await listOf(store.refs()), [], 'refs');
    assertEqual(await listOf(store.commits()), [], 'commits');
    assertEqual(await listOf(store.cids()), [], 'blocks');
    assertEqual(await store.count(), 0, 'the number of blocks');
    assertEqual(await listOf(store.metaEntries('x')), [], 'meta values');
    assertEqual((await store.maintenance?.check?.()) ?? [], [], 'faults');
  }),

  over('get returns a block, or undefined', async (store) => {
    await put(store, [a]);
    assertEqual(await store.get(a.cid), a.bytes, 'the block');
    assertEqual(await store.get(b.cid), undefined, 'another one');
  }),

  over('a block is found by its whole CID: the same hash with the other codec is another block', async (store) => {
    const [cbor, raw] = [blockOfBytes(a.bytes, 0), blockOfBytes(a.bytes, 1)];
    await put(store, [cbor]);
    assertEqual(await store.get(raw.cid), undefined, 'the raw one');
    assertEqual(await put(store, [raw]), [true], 'the raw one is new');
    assertEqual(await store.count(), 2, 'the number of blocks');
  }),

  over('getMany returns results by position, with repeats and absent blocks', async (store) => {
    await put(store, [a, b]);
    const found = await store.getMany(cidsOf([b, c, a, b]));
    assertEqual(found, [b.bytes, undefined, a.bytes, b.bytes], 'the blocks');
    assertEqual(await store.getMany([]), [], 'no result');
    assertEqual(await store.getMany([c.cid]), [undefined], 'one that is not there');
  }),

  over('a block may be empty', async (store) => {
    const empty = blockOfBytes(new Uint8Array(0));
    await put(store, [empty]);
    assertEqual(await store.get(empty.cid), empty.bytes, 'the block');
  }),

  over('a block may have a mebibyte', async (store) => {
    const large = blockOfBytes(Uint8Array.from({ length: 1024 * 1024 }, (_, i) => (i * 31) >> 3));
    await put(store, [large]);
    assertEqual(await store.get(large.cid), large.bytes, 'the block');
  }),

  over('a block may be a view of a larger buffer', async (store) => {
    const chunk = new TextEncoder().encode('before, the block, after');
    const view = blockOfBytes(chunk.subarray(8, 17));
    await put(store, [view]);
    const found = await store.get(view.cid);
    assertEqual(found, view.bytes, 'the block');
    assert(found?.buffer !== chunk.buffer, 'the store keeps bytes of its own');
  }),

  over('10,000 blocks go in with one change', async (store) => {
    const blocks = blocksOf(10_000);
    await put(store, blocks);
    assertEqual(await store.count(), blocks.length, 'the number of blocks');
    const found = await store.getMany(cidsOf(blocks));
    for (const [n, bytes] of found.entries()) {
      assertEqual(bytes, blocks[n]!.bytes, `block ${n}`);
    }
  }),

  over('later calls do not change a result', async (store) => {
    await put(store, [a, b]);
    const first = await store.get(a.cid);
    const [second] = await store.getMany([b.cid]);
    await put(store, blocksOf(2_000));
    await store.getMany(cidsOf(blocksOf(2_000)));
    await store.transact((change) => change.remove(cidsOf([a, b])));
    assertEqual(first, a.bytes, 'the result of get');
    assertEqual(second, b.bytes, 'the result of getMany');
  }),

  over('cids lists all blocks in the order of their texts', async (store) => {
    const blocks = blocksOf(1_000);
    await put(store, blocks);
    const listed = await listOf(store.cids());
    assertEqual(listed.map(String), cidsOf(blocks).map(String).sort(), 'the CIDs');
  }),

  over('cids has one order, in which digits come before letters', async (store) => {
    // In the order of their 36 bytes, those with `a` come before those with `2` and `7`.
    const texts = ['bafkreia2', 'bafkreia7', 'bafkreiaa', 'bafkreiaz', 'bafyreia2', 'bafyreiaa'].map((start) =>
      start.padEnd(59, 'a'),
    );
    await put(
      store,
      [...texts].reverse().map((text) => ({ cid: parseCid(text), bytes: new Uint8Array(1) })),
    );
    assertEqual((await listOf(store.cids())).map(String), texts, 'the CIDs');
  }),

  over('refs are listed in the order of their bytes', async (store) => {
    // UTF-16 would put the last one before U+FFFD.
    const names = ['', 'a', 'ab', 'b', `'; drop table refs; --`, '\u00e9', '\ufffd', '\u{1f980}'];
    const inOrder = ['', `'; drop table refs; --`, 'a', 'ab', 'b', '\u00e9', '\ufffd', '\u{1f980}'];
    await store.transact(async (change) => {
      for (const name of names) {
        await change.setRef(name, a.cid);
      }
    });
    const listed = await listOf(store.refs());
    assertEqual(
      listed.map(([name]) => name),
      inOrder,
      'the names',
    );
    assertEqual(String(await store.ref('\u{1f980}')), String(a.cid), 'the last one');
  }),

  over('meta values are listed by prefix, in the order of the bytes of their names', async (store) => {
    const names = ['app:', 'app:a', 'app:\u00e9', 'app:\ufffd', 'app:\u{1f980}', 'app;', 'apq'];
    await store.transact(async (change) => {
      for (const name of [...names].reverse()) {
        await change.setMeta(name, `value of ${name}`);
      }
    });
    const listed = async (prefix?: string): Promise<string[]> =>
      (await listOf(store.metaEntries(prefix))).map(([name, value]) => `${name}=${value}`);
    const expected = (some: readonly string[]): string[] => some.map((name) => `${name}=value of ${name}`);
    assertEqual(await listed('app:'), expected(names.slice(0, 5)), 'one prefix');
    assertEqual(await listed('app'), expected(names.slice(0, 6)), 'a shorter prefix');
    assertEqual(await listed('app:\u{1f980}'), expected(['app:\u{1f980}']), 'a prefix that is a whole name');
    assertEqual(await listed('b'), [], 'a prefix that no name has');
    const all = await listed();
    assertEqual(
      all.filter((entry) => entry.startsWith('ap')),
      expected(names),
      'all of them, and those of the store itself',
    );
  }),

  over('meta values are any text', async (store) => {
    const values = ['', ' ', 'null', '\u0000', '\ufeffx', '\u{1f980}', 'x'.repeat(100_000)];
    await store.transact(async (change) => {
      for (const [n, value] of values.entries()) {
        await change.setMeta(`key ${n}`, value);
      }
    });
    for (const [n, value] of values.entries()) {
      assertEqual(await store.meta(`key ${n}`), value, `value ${n}`);
    }
  }),

  over('commits are listed by rev, after and before exclusive, in both directions', async (store) => {
    const numbers = [3, 1, 600, 2, ...Array.from({ length: 596 }, (_, i) => i + 4)];
    await store.transact(async (change) => {
      for (const n of numbers) {
        await change.addCommit(revOf(n), n % 2 === 0 ? a.cid : b.cid);
      }
    });
    const from = (first: number, last: number): string[] =>
      Array.from(
        { length: last - first + 1 },
        (_, i) => `${revOf(first + i)} ${(first + i) % 2 === 0 ? a.cid : b.cid}`,
      );
    assertEqual(await textsOf(store.commits()), from(1, 600), 'all');
    assertEqual(await textsOf(store.commits({ reverse: true })), from(1, 600).reverse(), 'all in reverse');
    assertEqual(await textsOf(store.commits({ after: revOf(2) })), from(3, 600), 'after the second');
    assertEqual(await textsOf(store.commits({ before: revOf(3) })), from(1, 2), 'before the third');
    assertEqual(
      await textsOf(store.commits({ after: revOf(2), before: revOf(590), reverse: true })),
      from(3, 589).reverse(),
      'between two',
    );
    assertEqual(await textsOf(store.commits({ after: revOf(600) })), [], 'after the last');
    assertEqual(await textsOf(store.commits({ before: revOf(1) })), [], 'before the first');
    assertEqual(await textsOf(store.commits({ after: revOf(5), before: revOf(5) })), [], 'between one and itself');
    assertEqual(
      await textsOf(store.commits({ after: revOf(-5), before: revOf(2) })),
      from(1, 1),
      'after a rev that is not there',
    );
    assertEqual(String(await store.commit(revOf(600))), String(a.cid), 'one of them');
    assertEqual(await store.commit(revOf(601)), undefined, 'one that is not there');
  }),

  over('lists continue while the store changes, and list every remaining block once', async (store) => {
    const [stay, go] = [blocksOf(1_500), Array.from({ length: 1_500 }, (_, n) => blockOf(n + 10_000))];
    await put(store, [...stay, ...go]);
    const listed: string[] = [];
    for await (const cid of store.cids()) {
      listed.push(String(cid));
      if (listed.length % 500 === 1) {
        await store.transact(async (change) => {
          await change.remove(cidsOf(go.splice(0, 300)));
          await change.put([blockOf(100_000 + listed.length)]);
        });
      }
    }
    assertEqual(new Set(listed).size, listed.length, 'how many are listed once');
    const seen = new Set(listed);
    assertEqual(stay.filter(({ cid }) => !seen.has(String(cid))).length, 0, 'how many that stayed were missed');
  }),

  over('lists that end early block nothing', async (store) => {
    await put(store, blocksOf(600));
    await store.transact(async (change) => {
      await change.setRef('main', a.cid);
      await change.setRef('other', b.cid);
      await change.addCommit(revOf(1), a.cid);
      await change.addCommit(revOf(2), b.cid);
    });
    await store.transact((change) => change.setMeta('one', 'value'));
    for (const list of [store.cids(), store.refs(), store.commits(), store.metaEntries()]) {
      for await (const item of list) {
        assert(item !== undefined, 'there is a first one');
        break;
      }
    }
    await store.transact((change) => change.setRef('main', b.cid));
    assertEqual(String(await store.ref('main')), String(b.cid), 'the head');
  }),
];

/** All cases. A case throws `SkippedCase` if the harness cannot do what it needs. */
export const blockStoreCases: readonly Case<BlockStoreHarness>[] = [
  ...readCases,
  ...blockStoreChangeCases,
  ...blockStoreChangeReadCases,
  ...blockStoreLifeCases,
  ...blockStoreOwnerCases,
];
