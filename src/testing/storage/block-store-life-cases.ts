/** The contract of `BlockStore`: opening, closing and crashing. */
import type { BlockStore, StoreMaintenance } from '../../core/storage/ports.ts';
import { listOf } from '../../core/data/list-of.ts';
import { blockOf, blocksOf, cidsOf, put, revOf, textsOf } from './block-store-harness.ts';
import type { BlockStoreHarness } from './block-store-harness.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, rejectionOf, skip } from '../case.ts';

const [a, b, c] = [blockOf(0), blockOf(1), blockOf(2)];

const life = (name: string, run: (harness: BlockStoreHarness) => Promise<void>): Case<BlockStoreHarness> => ({
  name: `life: ${name}`,
  run,
});

const fill = (store: BlockStore): Promise<void> =>
  store.transact(async (change) => {
    await change.put([a, b]);
    await change.setRef('main', a.cid);
    await change.setMeta('message', 'kept');
    await change.addCommit(revOf(1), a.cid);
  });

const assertFilled = async (store: BlockStore): Promise<void> => {
  assertEqual(await textsOf(store.refs()), [`main ${a.cid}`], 'refs');
  assertEqual(await textsOf(store.commits()), [`${revOf(1)} ${a.cid}`], 'commits');
  assertEqual(await store.meta('message'), 'kept', 'the message');
  assertEqual(await store.getMany(cidsOf([a, b, c])), [a.bytes, b.bytes, undefined], 'blocks');
  assertEqual(await store.count(), 2, 'the number of blocks');
  assertEqual((await store.maintenance?.check?.()) ?? [], [], 'faults');
};

/** Returns a valid call of every capability that the store has. */
const maintenanceCallsOf = (
  maintenance: StoreMaintenance | undefined,
): Readonly<Record<string, () => Promise<unknown>>> => {
  const calls: Readonly<Record<keyof StoreMaintenance, () => Promise<unknown>>> = {
    check: async () => maintenance?.check?.(),
    invalidRows: async () => maintenance?.invalidRows?.(),
    cids: async () => listOf(maintenance?.cids?.() ?? []),
    commits: async () => listOf(maintenance?.commits?.() ?? []),
    refs: async () => listOf(maintenance?.refs?.() ?? []),
    scan: async () => listOf((await maintenance?.scan?.(Infinity)) ?? []),
    snapshot: async () => (await maintenance?.snapshot?.())?.release(),
    space: async () => maintenance?.space?.(),
    shrink: async () => maintenance?.shrink?.({ compact: true }),
  };
  const offered = Object.entries(calls).filter(([name]) => maintenance?.[name as keyof StoreMaintenance] !== undefined);
  return Object.fromEntries(offered.map(([name, call]) => [`maintenance.${name}`, call]));
};

/** Returns a valid call of every method. */
const callsOf = (store: BlockStore): Readonly<Record<string, () => Promise<unknown>>> => ({
  cids: () => listOf(store.cids()),
  commit: () => store.commit(revOf(1)),
  commits: () => listOf(store.commits()),
  count: () => store.count(),
  get: () => store.get(a.cid),
  getMany: () => store.getMany([a.cid]),
  'getMany of nothing': () => store.getMany([]),
  meta: () => store.meta('message'),
  metaEntries: () => listOf(store.metaEntries()),
  ref: () => store.ref('main'),
  refs: () => listOf(store.refs()),
  transact: () => store.transact(async () => undefined),
  ...maintenanceCallsOf(store.maintenance),
});

export const blockStoreLifeCases: readonly Case<BlockStoreHarness>[] = [
  life('stored content exists after reopening', async (harness) => {
    if (harness.forgetful === true) {
      skip('the store loses its content when it is closed');
    }
    const store = await harness.open();
    await fill(store);
    await store.close();
    const again = await harness.open();
    await assertFilled(again);
    await again.close();
  }),

  life('acknowledged changes exist after a crash', async (harness) => {
    const crash = harness.crash?.bind(harness) ?? skip('the harness cannot crash');
    await fill(await harness.open());
    await crash();
    const store = await harness.open();
    await assertFilled(store);
    for (let n = 2; n < 12; n++) {
      await store.transact((change) => change.setMeta('number', String(n)));
    }
    await crash();
    const again = await harness.open();
    assertEqual(await again.meta('number'), '11', 'the last of ten');
    await assertFilled(again);
    await again.close();
  }),

  life('an unfinished change is absent after a crash', async (harness) => {
    const crash = harness.crash?.bind(harness) ?? skip('the harness cannot crash');
    const store = await harness.open();
    await fill(store);
    await new Promise<void>((written) => {
      // It never ends, because the crash comes first.
      void store.transact(async (change) => {
        await change.put(blocksOf(3_000).slice(2));
        await change.remove([b.cid]);
        await change.setRef('main', b.cid);
        await change.setMeta('message', 'lost');
        await change.addCommit(revOf(2), b.cid);
        written();
        await new Promise<void>(() => undefined);
      });
    });
    await crash();
    const again = await harness.open();
    await assertFilled(again);
    await again.close();
  }),

  life('every method rejects with Closed after the store is closed', async (harness) => {
    const store = await harness.open();
    await fill(store);
    for (const [name, call] of Object.entries(callsOf(store))) {
      await call().catch((cause: unknown) => {
        throw new Error(`${name} fails on an open store`, { cause });
      });
    }
    await store.close();
    for (const [name, call] of Object.entries(callsOf(store))) {
      await assertRejects(call, 'Closed', name);
    }
  }),

  life('a list that is being read rejects with Closed after the store is closed', async (harness) => {
    const store = await harness.open();
    await put(store, blocksOf(2_000));
    await store.transact(async (change) => {
      for (const n of [1, 2, 3]) {
        await change.setMeta(`name ${n}`, 'value');
        await change.setRef(`ref ${n}`, a.cid);
        await change.addCommit(revOf(n), a.cid);
      }
    });
    const lists: Record<string, AsyncIterator<unknown>> = {
      cids: store.cids()[Symbol.asyncIterator](),
      commits: store.commits()[Symbol.asyncIterator](),
      metaEntries: store.metaEntries()[Symbol.asyncIterator](),
      refs: store.refs()[Symbol.asyncIterator](),
    };
    for (const [name, list] of Object.entries(lists)) {
      assertEqual((await list.next()).done, false, `${name} is at its end after the first next`);
    }
    await store.close();
    for (const [name, list] of Object.entries(lists)) {
      await assertRejects(() => list.next(), 'Closed', name);
    }
  }),

  life('a second close does nothing', async (harness) => {
    const store = await harness.open();
    await fill(store);
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await store[Symbol.asyncDispose]();
  }),

  life('disposing closes', async (harness) => {
    const store = await harness.open();
    await store[Symbol.asyncDispose]();
    await assertRejects(() => store.get(a.cid), 'Closed', 'get');
  }),

  life('closing waits for earlier changes, and refuses later ones', async (harness) => {
    const store = await harness.open();
    const log: string[] = [];
    const work = (name: string): Promise<void> =>
      store.transact(async (change) => {
        // More microtasks than closing alone needs.
        for (let n = 0; n < 50; n++) {
          await change.put([blockOf(n)]);
          await new Promise<void>((resolve) => queueMicrotask(resolve));
        }
        assertEqual(await change.get(blockOf(49).cid), blockOf(49).bytes, 'a read while closing');
        log.push(name);
      });
    const changes = [work('first'), work('second')];
    const closing = store.close().then(() => log.push('closed'));
    const late = await rejectionOf(() => work('late'), 'a change asked for while closing');
    assertEqual((late as { code?: unknown }).code, 'Closed', 'the code of the late one');
    await Promise.all([...changes, closing]);
    assertEqual(log, ['first', 'second', 'closed'], 'the order');
  }),

  life('closing after a failed change is not an error', async (harness) => {
    const store = await harness.open();
    const thrown = new Error('refused');
    const caught = await rejectionOf(() => store.transact(() => Promise.reject(thrown)), 'the change');
    assert(caught === thrown, 'rejects with the error of the callback itself');
    await store.close();
  }),
];
