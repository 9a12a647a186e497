import { openRepo } from '../../dist/node.js';
import { CAR, CBOR, CID, MemoryBlockStore, NodeStore, NodeWalker } from '../contenders/atcute.mjs';
import { getFullRepo, inMemory } from '../contenders/atproto.mjs';

export const title = 'Export the whole repository as a CAR';
export const targets = {
  '@atproto/repo in memory': { 100000: 10 },
  '@atcute in memory': { 1000: 1, 100000: 1.5 },
};

/** The least bytes of a record with its share of the tree. */
const LEAST = 200;

const measure = async (input, chunks) => {
  let size = 0;
  for await (const chunk of chunks) size += chunk.length;
  if (size < input.size * LEAST) throw new Error(`exported ${size} bytes`);
};

/** The commit, and each node and record in the order of a walk. */
async function* blocksOf(blocks, head) {
  const blockOf = (text) => ({ cid: CID.fromString(text).bytes, data: blocks.get(text) });
  const { data } = CBOR.decode(blocks.get(head));
  yield blockOf(head);
  const walker = await NodeWalker.create(new NodeStore(new MemoryBlockStore(blocks)), data.$link);
  for await (const node of walker.nodeCids()) yield blockOf(node.$link);
  for await (const [, link] of (await NodeWalker.create(walker.store, data.$link)).entries()) yield blockOf(link.$link);
}

export const contenders = {
  pdsdb: {
    does: 'opened; from pds.db in preorder, every hash checked; closed',
    skips: 'nothing',
    load: (input) => async () => {
      const repo = await openRepo(input.repo);
      await measure(input, repo.exportCar());
      await repo.close();
    },
  },
  '@atproto/repo in memory': {
    does: 'getFullRepo',
    skips: 'hashes, any storage; the CID of the head, which is given',
    load: async (input) => {
      const { storage, root } = await inMemory(input.car());
      return () => measure(input, getFullRepo(storage, root));
    },
  },
  '@atcute in memory': {
    does: 'a walk of the nodes, one of the entries, writeCarStream',
    skips: 'hashes, any storage; the CID of the head, which is given',
    load: (input) => {
      const blocks = new Map();
      for (const { cid, bytes } of CAR.fromUint8Array(input.car())) blocks.set(CID.toString(cid), bytes);
      return () => measure(input, CAR.writeCarStream([{ $link: input.head }], blocksOf(blocks, input.head)));
    },
  },
};
