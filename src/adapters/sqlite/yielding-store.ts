/**
 * A block store that yields to the event loop. When reads resolve at once, a walk over a tree is one chain of
 * microtasks. A worker then receives no message (an abort, a call of another page) before the end of the walk: 3
 * seconds for an import of 20,000 records.
 */
import type { BlockChange, BlockStore, StoreMaintenance, StoreReader } from '../../core/storage/ports.ts';
import { readsOf } from '../../core/storage/reads-of.ts';

/** The longest time that a message waits. Yielding this often costs less than 1 % of the time. */
const YIELD_INTERVAL_MS = 20;

/** Runs one turn of the event loop. Not a timer, because browsers delay it by 4 ms. */
const pause = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });

type YieldToEvents = () => Promise<void>;

/** Returns a function that yields when the last yield is {@link YIELD_INTERVAL_MS} ago. Make one per thread. */
export const createYieldToEvents = (): YieldToEvents => {
  let last = performance.now();
  return async () => {
    if (performance.now() - last >= YIELD_INTERVAL_MS) {
      await pause();
      last = performance.now();
    }
  };
};

const yieldingReader = (reader: StoreReader, yieldToEvents: YieldToEvents): StoreReader => ({
  ...readsOf(reader),
  async get(cid) {
    await yieldToEvents();
    return reader.get(cid);
  },
  async getMany(cids) {
    await yieldToEvents();
    return reader.getMany(cids);
  },
});

const yieldingChange = (change: BlockChange, yieldToEvents: YieldToEvents): BlockChange => ({
  ...yieldingReader(change, yieldToEvents),
  async put(blocks) {
    await yieldToEvents();
    return change.put(blocks);
  },
  remove: (cids) => change.remove(cids),
  setRef: (name, cid) => change.setRef(name, cid),
  setMeta: (name, value) => change.setMeta(name, value),
  addCommit: (rev, cid) => change.addCommit(rev, cid),
  removeCommit: (rev) => change.removeCommit(rev),
  maintenance: change.maintenance,
});

const yieldingBatches = async function* <T>(
  batches: AsyncIterable<T>,
  yieldToEvents: YieldToEvents,
): AsyncGenerator<T> {
  for await (const batch of batches) {
    yield batch;
    await yieldToEvents();
  }
};

const yieldingMaintenance = (maintenance: StoreMaintenance, yieldToEvents: YieldToEvents): StoreMaintenance => {
  const { scan } = maintenance;
  return scan === undefined
    ? maintenance
    : {
        ...maintenance,
        async scan(maxBytes) {
          const batches = await scan(maxBytes);
          return batches && yieldingBatches(batches, yieldToEvents);
        },
      };
};

/** Returns the same store, whose reads and writes yield to the event loop. */
export const yielding = (store: BlockStore, yieldToEvents: YieldToEvents): BlockStore => ({
  ...yieldingReader(store, yieldToEvents),
  exclusive: store.exclusive,
  count: () => store.count(),
  transact: (run) => store.transact((change) => run(yieldingChange(change, yieldToEvents))),
  maintenance: store.maintenance && yieldingMaintenance(store.maintenance, yieldToEvents),
  close: () => store.close(),
  [Symbol.asyncDispose]: () => store.close(),
});
