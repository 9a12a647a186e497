/**
 * Loads the blocks of a whole repository, for work that reads each of them once. Reading in storage order takes a third
 * of the time of a lookup per CID.
 */
import type { Bytes } from '../../data/bytes.ts';
import type { CidLike } from '../../data/cid.ts';
import { bytesOfCid } from '../../data/cid.ts';
import { ArenaBlocks } from '../../blocks/arena-blocks.ts';
import type { BlockReader, BlockStore } from '../../storage/ports.ts';

/** Same size as SQLite's cache. A larger storage is read block by block. */
const MAX_BYTES: number = 64 * 1024 * 1024;

/**
 * Returns a reader over all blocks in memory, or the store itself if they are larger than {@link MAX_BYTES}. Blocks
 * that are not in memory are read from the store. Hashes are not checked. The bytes are views.
 */
export const preload = async (store: BlockStore, signal: AbortSignal | undefined): Promise<BlockReader> => {
  const scan = await store.maintenance?.scan?.(MAX_BYTES);
  if (scan === undefined) {
    return store;
  }
  const blocks = new ArenaBlocks();
  for await (const packed of scan) {
    signal?.throwIfAborted();
    blocks.add(packed);
  }
  const loaded = (cid: CidLike): Bytes | undefined => blocks.find(bytesOfCid(cid)) as Bytes | undefined;
  const reader: BlockReader = {
    async get(cid) {
      return loaded(cid) ?? store.get(cid);
    },
    async getMany(wanted) {
      const found = wanted.map(loaded);
      return found.every((bytes) => bytes !== undefined) ? found : Promise.all(wanted.map((cid) => reader.get(cid)));
    },
  };
  return reader;
};
