/** The contract of `BlockStore`: changes. */
import type { BlockChange, BlockStore } from '../../core/storage/ports.ts';
import { listOf } from '../../core/data/list-of.ts';
import { stageBlocks } from '../../core/storage/stage-blocks.ts';
import { blockOf, blockOfBytes, blocksOf, cidsOf, put, revOf, textsOf } from './block-store-harness.ts';
import type { BlockStoreHarness } from './block-store-harness.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, rejectionOf } from '../case.ts';

const [a, b, c] = [blockOf(0), blockOf(1), blockOf(2)];

/** Returns a case over one store with the blocks `a` (the head) and `b`. */
const over = (name: string, run: (store: BlockStore) => Promise<void>): Case<BlockStoreHarness> => ({
  name: `change: ${name}`,
  run: async (harness) => {
    const store = await harness.open();
    await store.transact(async (change) => {
      await change.put([a, b]);
      await change.setRef('main', a.cid);
      await change.setMeta('message', 'first');
      await change.addCommit(revOf(1), a.cid);
    });
    await run(store);
    await store.close();
  },
});

/** Returns the whole content of a store, as texts. */
const stateOf = async (store: BlockStore): Promise<string[]> => [
  ...(await textsOf(store.refs())),
  ...(await textsOf(store.commits())),
  ...(await listOf(store.cids())).map(String),
  `count ${await store.count()}`,
  `message ${await store.meta('message')}`,
  `${await store.get(a.cid)}`,
  `${await store.get(b.cid)}`,
];

/** Returns a promise with its resolve function. */
const signalOf = (): { readonly given: Promise<void>; readonly give: () => void } => {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
};

/** Makes one change of every kind. */
const changeAll = async (change: BlockChange): Promise<void> => {
  await change.put([c]);
  await change.remove([b.cid]);
  await change.setRef('main', c.cid);
  await change.setRef('tag', a.cid);
  await change.setMeta('message', 'second');
  await change.addCommit(revOf(2), c.cid);
  await change.removeCommit(revOf(1));
};

export const blockStoreChangeCases: readonly Case<BlockStoreHarness>[] = [
  over('all changes are stored', async (store) => {
    await store.transact(changeAll);
    assertEqual(await textsOf(store.refs()), [`main ${c.cid}`, `tag ${a.cid}`], 'refs');
    assertEqual(await textsOf(store.commits()), [`${revOf(2)} ${c.cid}`], 'commits');
    assertEqual(await store.commit(revOf(1)), undefined, 'the commit that went');
    assertEqual(await store.meta('message'), 'second', 'the message');
    assertEqual(await store.getMany(cidsOf([a, b, c])), [a.bytes, undefined, c.bytes], 'blocks');
    assertEqual(await store.count(), 2, 'the number of blocks');
  }),

  over('transact returns the result of run', async (store) => {
    assertEqual(await store.transact(async () => 'an result'), 'an result', 'the result');
    assertEqual(await store.transact(async () => undefined), undefined, 'no result');
  }),

  over('put returns which blocks were new', async (store) => {
    assertEqual(await put(store, [c, a, c]), [true, false, false], 'one of three');
    assertEqual(await put(store, [c]), [false], 'none');
    assertEqual(await put(store, []), [], 'no result');
  }),

  over('put returns results in the order of the call', async (store) => {
    const blocks = blocksOf(500);
    const results = await put(store, blocks);
    assertEqual(
      results,
      blocks.map((_, n) => n > 1),
      'all but the first two',
    );
  }),

  over('an existing block is not changed', async (store) => {
    await put(store, [{ cid: a.cid, bytes: b.bytes }]);
    assertEqual(await store.get(a.cid), a.bytes, 'the block');
  }),

  over('it reads its own writes and not its removals', async (store) => {
    await store.transact(async (change) => {
      await change.put([c]);
      await change.remove([a.cid]);
      assertEqual(await change.get(c.cid), c.bytes, 'what it put');
      assertEqual(await change.get(a.cid), undefined, 'what it removed');
      assertEqual(await change.getMany(cidsOf([a, b, c, c])), [undefined, b.bytes, c.bytes, c.bytes], 'all of them');
      assertEqual(await change.getMany([]), [], 'no result');
    });
  }),

  over('a block that is removed and then put stays', async (store) => {
    await store.transact(async (change) => {
      await change.remove(cidsOf([a, c]));
      assertEqual(await change.put([a, a, c]), [true, false, true], 'what is new after the removal');
      assertEqual(await change.get(a.cid), a.bytes, 'the block within the change');
    });
    assertEqual(await store.getMany(cidsOf([a, c])), [a.bytes, c.bytes], 'the blocks afterwards');
  }),

  over('a block that is put and then removed is absent', async (store) => {
    await store.transact(async (change) => {
      await change.put([a, c]);
      await change.remove(cidsOf([a, c, a]));
      assertEqual(await change.get(c.cid), undefined, 'the block within the change');
    });
    assertEqual(await store.getMany(cidsOf([a, b, c])), [undefined, b.bytes, undefined], 'the blocks afterwards');
  }),

  over('staged blocks are read by the change, and stored at its end', async (store) => {
    await store.transact(async (change) => {
      await stageBlocks(change, [a, c, c]);
      assertEqual(await change.get(c.cid), c.bytes, 'a staged block');
      assertEqual(await change.getMany(cidsOf([b, c, blockOf(9), a])), [b.bytes, c.bytes, undefined, a.bytes], 'all');
      await change.setRef('main', c.cid);
    });
    assertEqual(await store.getMany(cidsOf([a, b, c])), [a.bytes, b.bytes, c.bytes], 'the blocks afterwards');
    assertEqual(await store.count(), 3, 'their number');
  }),

  over('a staged block is not new for put, and a list of all blocks has it', async (store) => {
    await store.transact(async (change) => {
      await stageBlocks(change, [c]);
      assertEqual(await change.put([b, c, blockOf(9)]), [false, false, true], 'what is new');
      await stageBlocks(change, [blockOf(10)]);
      assertEqual((await listOf(change.cids())).length, 5, 'the number of listed blocks');
      await stageBlocks(change, [blockOf(10), blockOf(11)]);
    });
    assertEqual((await listOf(store.cids())).length, 6, 'the number of blocks afterwards');
  }),

  over('staged blocks and removals follow their order', async (store) => {
    await store.transact(async (change) => {
      await stageBlocks(change, [c, blockOf(9)]);
      await change.remove(cidsOf([a, b, c]));
      assertEqual(await change.getMany(cidsOf([b, c])), [undefined, undefined], 'the removed blocks');
      await stageBlocks(change, [b]);
      assertEqual(await change.get(b.cid), b.bytes, 'a block that was staged again');
    });
    const found = await store.getMany(cidsOf([a, b, c, blockOf(9)]));
    assertEqual(found, [undefined, b.bytes, undefined, blockOf(9).bytes], 'the blocks afterwards');
  }),

  over('many staged blocks are stored, and none if the change fails', async (store) => {
    const many = Array.from({ length: 40 }, (_, n) => blockOfBytes(new Uint8Array(10_000).fill(n), n));
    const stageAll = async (change: BlockChange): Promise<void> => {
      for (const block of many) {
        await stageBlocks(change, [block]);
      }
      assertEqual(
        await change.getMany(cidsOf(many)),
        many.map(({ bytes }) => bytes),
        'the blocks within the change',
      );
    };
    const failing = store.transact(async (change) => {
      await stageAll(change);
      throw new Error('enough');
    });
    await rejectionOf(() => failing, 'the change');
    assertEqual(await store.count(), 2, 'the number of blocks after the failure');
    await store.transact(stageAll);
    assertEqual(
      await store.getMany(cidsOf(many)),
      many.map(({ bytes }) => bytes),
      'the blocks afterwards',
    );
  }),

  over('removing an absent block is not an error', async (store) => {
    await store.transact(async (change) => {
      await change.remove([]);
      await change.remove([c.cid]);
      await change.setRef('nothing', undefined);
      await change.setMeta('nothing', undefined);
      await change.removeCommit(revOf(9));
    });
    assertEqual(await store.count(), 2, 'the number of blocks');
  }),

  over('the last write of a ref, a value or a commit wins', async (store) => {
    await store.transact(async (change) => {
      await change.setRef('main', undefined);
      await change.setRef('main', b.cid);
      await change.setRef('tag', b.cid);
      await change.setRef('tag', undefined);
      await change.setMeta('message', undefined);
      await change.addCommit(revOf(1), b.cid);
      await change.addCommit(revOf(2), b.cid);
      await change.removeCommit(revOf(2));
    });
    assertEqual(await textsOf(store.refs()), [`main ${b.cid}`], 'refs');
    assertEqual(await textsOf(store.commits()), [`${revOf(1)} ${b.cid}`], 'commits');
    assertEqual(await store.meta('message'), undefined, 'the message');
  }),

  over('a run that throws changes nothing, and its error is thrown unchanged', async (store) => {
    const before = await stateOf(store);
    const thrown = new Error('half way');
    const caught = await rejectionOf(
      () =>
        store.transact(async (change) => {
          await changeAll(change);
          throw thrown;
        }),
      'a run that throws',
    );
    assert(caught === thrown, 'transact rejects with the error that run threw');
    assertEqual(await stateOf(store), before, 'the state');
    assertEqual(await put(store, [c]), [true], 'the block that was put is new again');
  }),

  over('a run that throws before its first await changes nothing either', async (store) => {
    const before = await stateOf(store);
    const thrown = new Error('at once');
    const caught = await rejectionOf(
      () =>
        store.transact(() => {
          throw thrown;
        }),
      'a run that throws',
    );
    assert(caught === thrown, 'transact rejects with the error that run threw');
    assertEqual(await stateOf(store), before, 'the state');
  }),

  over('they run in the order of the calls', async (store) => {
    const log: string[] = [];
    const work = async (n: number): Promise<void> =>
      store.transact(async (change) => {
        log.push(`${n} starts`);
        const last = Number((await change.meta('counter')) ?? 0);
        await change.put([blockOf(n + 100)]);
        await change.setMeta('counter', String(last + 1));
        log.push(`${n} ends`);
      });
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    await Promise.all(numbers.map(work));
    assertEqual(
      log,
      numbers.flatMap((n) => [`${n} starts`, `${n} ends`]),
      'the order',
    );
    assertEqual(await store.meta('counter'), '20', 'how many counted');
  }),

  over('a failed change does not block the next', async (store) => {
    const failing = rejectionOf(() => store.transact(() => Promise.reject(new Error('refused'))), 'the first');
    const next = put(store, [c]);
    await failing;
    assertEqual(await next, [true], 'the second');
  }),

  over('other readers continue, and do not see its refs, meta, commits and removals', async (store) => {
    const [written, seen] = [signalOf(), signalOf()];
    const changing = store.transact(async (change) => {
      await changeAll(change);
      written.give();
      await seen.given;
    });
    await written.given;
    assertEqual(await textsOf(store.refs()), [`main ${a.cid}`], 'refs');
    assertEqual(String(await store.ref('main')), String(a.cid), 'the head');
    assertEqual(await store.ref('tag'), undefined, 'the tag');
    assertEqual(await textsOf(store.commits()), [`${revOf(1)} ${a.cid}`], 'commits');
    assertEqual(await store.commit(revOf(2)), undefined, 'the new commit');
    assertEqual(await store.meta('message'), 'first', 'the message');
    assertEqual(await store.getMany(cidsOf([a, b])), [a.bytes, b.bytes], 'the blocks, the removed one among them');
    seen.give();
    await changing;
    assertEqual(String(await store.ref('main')), String(c.cid), 'the head afterwards');
    assertEqual(await store.get(b.cid), undefined, 'the removed block afterwards');
  }),

  over('it rejects after run has ended', async (store) => {
    let kept: BlockChange | undefined;
    await store.transact(async (change) => {
      kept = change;
    });
    const change = kept!;
    const calls: Record<string, () => Promise<unknown>> = {
      addCommit: () => change.addCommit(revOf(2), b.cid),
      cids: () => listOf(change.cids()),
      commit: () => change.commit(revOf(1)),
      commits: () => listOf(change.commits()),
      get: () => change.get(a.cid),
      getMany: () => change.getMany([a.cid]),
      meta: () => change.meta('message'),
      metaEntries: () => listOf(change.metaEntries()),
      ref: () => change.ref('main'),
      refs: () => listOf(change.refs()),
      put: () => change.put([blockOfBytes(new Uint8Array(3))]),
      remove: () => change.remove([a.cid]),
      removeCommit: () => change.removeCommit(revOf(1)),
      setMeta: () => change.setMeta('message', 'late'),
      setRef: () => change.setRef('main', b.cid),
    };
    const before = await stateOf(store);
    for (const [name, call] of Object.entries(calls)) {
      await assertRejects(call, 'Closed', name);
    }
    assertEqual(await stateOf(store), before, 'the state');
  }),
];
