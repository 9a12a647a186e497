/** A store in memory that counts the blocks it was asked for. */
import type { CidLike } from '../../../../src/core/data/cid.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';

export class CountingStore extends MemoryBlockStore {
  reads = 0;

  override get(cid: CidLike) {
    this.reads += 1;
    return super.get(cid);
  }

  override getMany(cids: readonly CidLike[]) {
    this.reads += cids.length;
    return super.getMany(cids);
  }
}
