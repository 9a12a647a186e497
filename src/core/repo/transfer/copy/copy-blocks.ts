/** Finds the blocks that a state reaches, and copies them with their hashes checked. */
import { decodeCid } from '../../../data/cid.ts';
import type { CidSet } from '../../../data/cid-set.ts';
import { createCidSet } from '../../../data/cid-set.ts';
import { assertBlocks, requireBlocks } from '../../../storage/checked-blocks.ts';
import type { BlockChange } from '../../../storage/ports.ts';
import { nodesPastMissing, reachNodes, reachTrees } from '../../care/reach.ts';
import type { RepoParts } from '../../open-parts.ts';
import { keyOrder } from '../staging-order.ts';
import type { SourceState } from './source-state.ts';

/** Blocks in memory at a time. */
const BATCH = 256;

export interface FoundBlocks {
  readonly cids: CidSet;
  /** The first so many of `cids` must be stored. The others may be missing. */
  readonly required: number;
  /** The number of records of the head. */
  readonly records: number;
}

/** @throws {RepoError} `BlockNotFound`, `Corrupt`, `Malformed` for a node of a tree. */
export const findBlocks = async (
  { nodes, yieldToEvents }: RepoParts,
  { whole, mayLack, bases }: SourceState,
  notify: () => void,
): Promise<FoundBlocks> => {
  const cids = createCidSet();
  let records = 0;
  const reading = async (...[subtrees]: Parameters<typeof nodes.nodes>): ReturnType<typeof nodes.nodes> => {
    notify();
    await yieldToEvents();
    return nodes.nodes(subtrees);
  };
  [...whole, ...mayLack].forEach(({ cid }) => cids.add(cid.bytes));
  // The head is the first one. No other tree is in the set yet, so each of its records is counted once.
  const [head, ...others] = whole.map(({ data }) => data);
  if (head !== undefined) {
    await reachTrees(reading, [head], cids, () => (records += 1));
    await reachTrees(reading, others, cids);
  }
  const required = cids.size;
  const lenient = (...[subtrees]: Parameters<typeof nodes.nodes>): ReturnType<typeof nodesPastMissing> => {
    notify();
    return nodesPastMissing(nodes, subtrees);
  };
  await reachTrees(
    lenient,
    mayLack.map(({ data }) => data),
    cids,
  );
  for (const root of bases) {
    await reachNodes(lenient, root, cids);
  }
  return { cids, required, records };
};

/**
 * Copies blocks in the order in which stores keep them.
 * @param onBatch Called after each batch.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`; the errors of the change.
 */
export const copyBlocks = async (
  { hashAll, store, yieldToEvents }: RepoParts,
  { cids, required }: FoundBlocks,
  into: BlockChange,
  onBatch: (blocks: number, bytes: number) => void,
): Promise<void> => {
  const copyRange = async (start: number, end: number, isRequired: boolean): Promise<void> => {
    const order = keyOrder(end - start, (index) => cids.at(start + index));
    for (let at = 0; at < order.length; at += BATCH) {
      const batch = Array.from(order.subarray(at, at + BATCH), (index) => decodeCid(cids.at(start + index).slice()));
      const blocks = isRequired ? await requireBlocks(store, batch, hashAll) : await store.getMany(batch);
      if (!isRequired) {
        assertBlocks(hashAll, batch, blocks);
      }
      const found = batch.flatMap((cid, i) => (blocks[i] === undefined ? [] : [{ cid, bytes: blocks[i] }]));
      await into.put(found);
      onBatch(
        found.length,
        found.reduce((sum, { bytes }) => sum + bytes.length, 0),
      );
      await yieldToEvents();
    }
  };
  await copyRange(0, required, true);
  await copyRange(required, cids.size, false);
};
