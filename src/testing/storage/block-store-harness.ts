/** What the cases for block stores run on, and the blocks that they put there. */
import type { CID } from '../../core/data/cid.ts';
import { cidOf, CODEC_DAG_CBOR, CODEC_RAW } from '../../core/data/cid.ts';
import type { BlockStore } from '../../core/storage/ports.ts';
import type { Block } from '../../core/blocks/block.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import { tidOf } from '../../core/syntax/tid.ts';

/** One place for one store. Each case wants a harness of its own, and closes what it opened unless it fails. */
export interface BlockStoreHarness {
  /**
   * Opens the place: empty at first, and the same one every time. What it answered before has been closed, or has
   * crashed.
   */
  open(): Promise<BlockStore>;
  /** Said of a store that keeps nothing once it is closed. */
  readonly forgetful?: true;
  /** Lets go of the open store without closing it, and of everything that was not durable. */
  crash?(): Promise<void>;
  /** For a store that is `exclusive`: opens the place a second time while it is open. Rejects with `Locked`. */
  openSecond?(): Promise<unknown>;
  /** For a store that is not `exclusive`: opens a second store on the place while the first one is open. */
  openBeside?(): Promise<BlockStore>;
}

/** The block of a number: short, different from all others, of either codec in turn. */
export const blockOf = (n: number): Block => blockOfBytes(new TextEncoder().encode(`block ${n}`), n);

/** A block with this content. */
export const blockOfBytes = (bytes: Uint8Array, n = 0): Block => ({
  cid: cidOf(n % 2 === 0 ? CODEC_DAG_CBOR : CODEC_RAW, bytes),
  bytes,
});

export const blocksOf = (count: number): Block[] => Array.from({ length: count }, (_, n) => blockOf(n));

/** The rev of a number; they sort as their numbers do. */
export const revOf = (n: number): Tid => tidOf(1_700_000_000_000_000 + n, 0);

export const put = (store: BlockStore, blocks: readonly Block[]): Promise<boolean[]> =>
  store.transact((change) => change.put(blocks));

export const cidsOf = (blocks: readonly Block[]): CID[] => blocks.map(({ cid }) => cid);

/** All that an iterable has. */
export const listOf = async <T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) {
    list.push(item);
  }
  return list;
};

/** Pairs of a name and a CID, as texts that can be compared. */
export const textsOf = async (pairs: AsyncIterable<readonly [string, CID]>): Promise<string[]> => {
  const list = await listOf(pairs);
  return list.map(([name, cid]) => `${name} ${cid}`);
};
