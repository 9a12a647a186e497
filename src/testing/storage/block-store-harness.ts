/** The harness for the cases of block stores, and test data. */
import { listOf } from '../../core/data/list-of.ts';
import type { CID } from '../../core/data/cid.ts';
import { cidOf, CODEC_DAG_CBOR, CODEC_RAW } from '../../core/data/cid.ts';
import type { BlockStore } from '../../core/storage/ports.ts';
import type { Block } from '../../core/blocks/block.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import { tidOf } from '../../core/syntax/tid.ts';

/** A storage for one store. Each case gets its own harness. It closes the stores that it opens, unless it fails. */
export interface BlockStoreHarness {
  /**
   * Opens the store, which is empty at first. Later calls open the same storage, after the last store was closed or has
   * crashed.
   */
  open(): Promise<BlockStore>;
  /** Whether the store loses its content when it is closed. */
  readonly forgetful?: true;
  /** Drops the open store without closing it, and everything that is not durable. */
  crash?(): Promise<void>;
  /** For an `exclusive` store: opens the storage a second time while it is open. Rejects with `Locked`. */
  openSecond?(): Promise<unknown>;
  /** For a store that is not `exclusive`: opens a second store while the first one is open. */
  openBeside?(): Promise<BlockStore>;
}

/** Returns a short block for a number. Each number has another block, and the codecs alternate. */
export const blockOf = (n: number): Block => blockOfBytes(new TextEncoder().encode(`block ${n}`), n);

/** Returns a block with this content. */
export const blockOfBytes = (bytes: Uint8Array, n = 0): Block => ({
  cid: cidOf(n % 2 === 0 ? CODEC_DAG_CBOR : CODEC_RAW, bytes),
  bytes,
});

export const blocksOf = (count: number): Block[] => Array.from({ length: count }, (_, n) => blockOf(n));

/** Returns the rev of a number. Revs sort like their numbers. */
export const revOf = (n: number): Tid => tidOf(1_700_000_000_000_000 + n, 0);

export const put = (store: BlockStore, blocks: readonly Block[]): Promise<boolean[]> =>
  store.transact((change) => change.put(blocks));

export const cidsOf = (blocks: readonly Block[]): CID[] => blocks.map(({ cid }) => cid);

/** Formats pairs of a name and a CID as texts that can be compared. */
export const textsOf = async (pairs: AsyncIterable<readonly [string, CID]>): Promise<string[]> => {
  const list = await listOf(pairs);
  return list.map(([name, cid]) => `${name} ${cid}`);
};
