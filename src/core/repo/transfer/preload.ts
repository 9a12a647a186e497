/**
 * The blocks of a whole repository in memory, for work that reads each of them once: they are read as they lie, where
 * looking each up by its name takes three times as long.
 */
import type { Bytes } from '../../data/bytes.ts';
import type { CidLike } from '../../data/cid.ts';
import { bytesOfCid } from '../../data/cid.ts';
import { HeldBlocks } from '../../blocks/arena-blocks.ts';
import type { BlockReader, BlockStore } from '../../storage/ports.ts';

/** As much as SQLite's cache holds, and an import. A storage that is larger is read block by block. */
const MAX_BYTES: number = 64 * 1024 * 1024;

/**
 * A reader that has read everything already, or the store itself where that would be too much. What was not there is
 * asked of the store. Hashes are not checked, and what it answers are views.
 */
export const blocksAtHand = async (store: BlockStore, signal: AbortSignal | undefined): Promise<BlockReader> => {
  const scan = await store.maintenance?.scan(MAX_BYTES);
  if (scan === undefined) {
    return store;
  }
  const blocks = new HeldBlocks();
  for await (const packed of scan) {
    signal?.throwIfAborted();
    blocks.add(packed);
  }
  const held = (cid: CidLike): Bytes | undefined =>
    blocks.bytesAt(blocks.cids.indexOf(bytesOfCid(cid))) as Bytes | undefined;
  const reader: BlockReader = {
    async get(cid) {
      return held(cid) ?? store.get(cid);
    },
    async getMany(wanted) {
      const found = wanted.map(held);
      return found.every((bytes) => bytes !== undefined) ? found : Promise.all(wanted.map((cid) => reader.get(cid)));
    },
  };
  return reader;
};
