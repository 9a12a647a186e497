/**
 * A block store for a thread that has to listen while it works. Where reading answers at once, a walk over a tree is
 * one chain of promises, and nothing that has been said meanwhile (stop; another page's question) is heard before its
 * end: 3 seconds for an import of 20,000 records. Here such a chain is interrupted now and then.
 */
import type { BlockChange, BlockStore, StoreMaintenance, StoreReader } from '../../core/storage/ports.ts';

/** A question waits this long at most, and pausing costs less than a hundredth of the time. */
const BREATH_MS = 20;

/** Lets everything happen that has been waiting. A timer would do too, but browsers make it wait for 4 ms. */
const pause = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });

type Breathe = () => Promise<void>;

/** Pauses when the last pause is a while ago. One for all that is done in a thread at a time. */
export const createBreath = (): Breathe => {
  let last = performance.now();
  return async () => {
    if (performance.now() - last >= BREATH_MS) {
      await pause();
      last = performance.now();
    }
  };
};

const breathingReader = (reader: StoreReader, breathe: Breathe): StoreReader => ({
  async get(cid) {
    await breathe();
    return reader.get(cid);
  },
  async getMany(cids) {
    await breathe();
    return reader.getMany(cids);
  },
  ref: (name) => reader.ref(name),
  refs: () => reader.refs(),
  meta: (name) => reader.meta(name),
  metaEntries: (prefix) => reader.metaEntries(prefix),
  commit: (rev) => reader.commit(rev),
  commits: (range) => reader.commits(range),
  cids: () => reader.cids(),
});

const breathingChange = (change: BlockChange, breathe: Breathe): BlockChange => ({
  ...breathingReader(change, breathe),
  async put(blocks) {
    await breathe();
    return change.put(blocks);
  },
  remove: (cids) => change.remove(cids),
  setRef: (name, cid) => change.setRef(name, cid),
  setMeta: (name, value) => change.setMeta(name, value),
  addCommit: (rev, cid) => change.addCommit(rev, cid),
  removeCommit: (rev) => change.removeCommit(rev),
  maintenance: change.maintenance,
});

const breathingBatches = async function* <T>(batches: AsyncIterable<T>, breathe: Breathe): AsyncGenerator<T> {
  for await (const batch of batches) {
    yield batch;
    await breathe();
  }
};

const breathingMaintenance = (maintenance: StoreMaintenance, breathe: Breathe): StoreMaintenance => ({
  ...maintenance,
  async scan(maxBytes) {
    const batches = await maintenance.scan(maxBytes);
    return batches && breathingBatches(batches, breathe);
  },
});

/** The same store, with pauses. */
export const breathing = (store: BlockStore, breathe: Breathe): BlockStore => ({
  ...breathingReader(store, breathe),
  exclusive: store.exclusive,
  count: () => store.count(),
  transact: (run) => store.transact((change) => run(breathingChange(change, breathe))),
  maintenance: store.maintenance && breathingMaintenance(store.maintenance, breathe),
  close: () => store.close(),
  [Symbol.asyncDispose]: () => store.close(),
});
