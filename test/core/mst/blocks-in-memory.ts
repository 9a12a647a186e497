/** Blocks in a map that counts reads, and functions that build trees in it. */
import type { Bytes } from '../../../src/core/data/bytes.ts';
import type { CID, CidBytes, CidLike } from '../../../src/core/data/cid.ts';
import { cidOf, cidToText, decodeCid } from '../../../src/core/data/cid.ts';
import { createTreeBuilder } from '../../../src/core/mst/build.ts';
import type { BlockReader } from '../../../src/core/storage/ports.ts';
import type { Block } from '../../../src/core/blocks/block.ts';

export class BlocksInMemory implements BlockReader {
  readonly blocks = new Map<string, Bytes>();
  /** Requests, and the blocks that were asked for. */
  requests = 0;
  read = 0;

  put(...blocks: readonly Block[]): void {
    for (const { cid, bytes } of blocks) {
      this.blocks.set(cidToText(cid), bytes as Bytes);
    }
  }

  async get(cid: CidLike): Promise<Bytes | undefined> {
    const [bytes] = await this.getMany([cid]);
    return bytes;
  }

  async getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    this.requests += 1;
    this.read += cids.length;
    return cids.map((cid) => this.blocks.get(cidToText(cid)));
  }
}

/** A value that differs for different texts. */
export const valueOf = (text: string): CidBytes => cidOf(0x71, new TextEncoder().encode(text)).bytes as CidBytes;

/** Builds a tree of leaves in `blocks` and returns its root. */
export const buildTree = (blocks: BlocksInMemory, leaves: Iterable<readonly [string, CidBytes]>): CID => {
  const builder = createTreeBuilder((cid, bytes) => blocks.put({ cid: decodeCid(cid), bytes }));
  for (const [key, value] of [...leaves].sort(([a], [b]) => (a < b ? -1 : 1))) {
    builder.add(key, value);
  }
  return decodeCid(builder.finish());
};

/** Keys like those of repositories, in order. One collection's name is a prefix of another. */
export const manyKeys = (count: number, random: () => number): string[] => {
  const collections = ['app.bsky.feed.like', 'app.bsky.feed.post', 'app.bsky.feed.postgate', 'app.bsky.graph.follow'];
  const keys = new Set<string>();
  while (keys.size < count) {
    const collection = collections[Math.floor(random() * collections.length)]!;
    keys.add(`${collection}/3k${Math.floor(random() * 36 ** 8).toString(36)}`);
  }
  return [...keys].sort();
};

/** Returns all items of batches. Fails on an empty batch. */
export const flatten = async <T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> => {
  const items: T[] = [];
  for await (const batch of batches) {
    if (batch.length === 0) {
      throw new Error('an empty batch');
    }
    items.push(...batch);
  }
  return items;
};
