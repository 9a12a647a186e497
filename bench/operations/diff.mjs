import { mstDiff, recordDiff } from '@atcute/mst';
import { CID as MultiformatsCid } from 'multiformats/cid';
import { MemoryBlobStore, MemoryBlockStore, repoOver } from '../../dist/index.js';
import { MemoryBlockStore as AtcuteStore, NodeStore } from '../contenders/atcute.mjs';
import { BlockMap, DataDiff, MST, MemoryBlockstore } from '../contenders/atproto.mjs';
import { freshKey, freshRecord } from '../sample-account.mjs';

const COUNT = 100;
const COLLECTION = 'app.bsky.feed.post';

export const title = 'Diff of two commits after 100 changes';
export const targets = { '@atproto/repo': { 100000: 5 }, '@atcute/mst': { 100000: 1 } };

/** The repository in memory before and after, for all contenders. */
const edit = async (input) => {
  const store = new MemoryBlockStore(input.did);
  const open = () => repoOver({ did: input.did, store, blobs: new MemoryBlobStore(), signer: input.signer });
  const repo = open();
  await repo.importCar(input.car(), { key: input.key });
  const before = await repo.head();
  const step = Math.floor(input.paths.length / COUNT);
  const ops = Array.from({ length: COUNT }, (_, i) => {
    const [collection, rkey] = input.paths[i * step].split('/');
    return i % 2 === 0
      ? { action: 'delete', collection, rkey }
      : { action: 'create', collection: COLLECTION, rkey: freshKey(i), value: freshRecord(i) };
  });
  await repo.write(ops);
  const after = await repo.head();
  return { store, open, before, after };
};

const blocksOf = async (store) => {
  const blocks = new Map();
  for await (const cid of store.cids()) blocks.set(String(cid), await store.get(cid));
  return blocks;
};

const assertCount = (count) => {
  if (count !== COUNT) throw new Error(`${count} changes`);
};

export const contenders = {
  pdsdb: {
    does: 'both commits and the nodes that differ, every hash checked, in memory, nothing cached',
    skips: 'nothing',
    load: async (input) => {
      const { open, before, after } = await edit(input);
      return async () => {
        let count = 0;
        for await (const change of open().diff(before.cid, after.cid)) count += change.action === undefined ? 0 : 1;
        assertCount(count);
      };
    },
  },
  '@atproto/repo': {
    does: 'DataDiff.of two trees in memory',
    skips: 'hashes, the commits',
    load: async (input) => {
      const { store, before, after } = await edit(input);
      const map = new BlockMap();
      for (const [cid, bytes] of await blocksOf(store)) map.set(MultiformatsCid.parse(cid), bytes);
      const storage = new MemoryBlockstore(map);
      const load = (head) => MST.load(storage, MultiformatsCid.parse(String(head.data)));
      return async () => {
        const diff = await DataDiff.of(load(after), load(before));
        assertCount(diff.addList().length + diff.updateList().length + diff.deleteList().length);
      };
    },
  },
  '@atcute/mst': {
    does: 'mstDiff and recordDiff in memory',
    skips: 'hashes, the commits',
    load: async (input) => {
      const { store, before, after } = await edit(input);
      const blocks = new AtcuteStore(await blocksOf(store));
      return async () => {
        const nodes = new NodeStore(blocks);
        const [created, deleted] = await mstDiff(nodes, String(before.data), String(after.data));
        let count = 0;
        for await (const delta of recordDiff(nodes, created, deleted)) count += delta.path === '' ? 0 : 1;
        assertCount(count);
      };
    },
  },
};
