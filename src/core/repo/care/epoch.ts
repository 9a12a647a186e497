/**
 * Counts the changes that removed blocks or commits. A tree that was checked out in an earlier epoch may lack blocks.
 */
import type { BlockChange, StoreReader } from '../../storage/ports.ts';

/** The meta key. */
const EPOCH = 'gcEpoch';

export const readEpoch = async (store: Pick<StoreReader, 'meta'>): Promise<number> =>
  Number((await store.meta(EPOCH)) ?? 0);

/** Starts the next epoch. Part of each change that removes blocks or commits. */
export const raiseEpoch = async (change: BlockChange): Promise<void> =>
  change.setMeta(EPOCH, String((await readEpoch(change)) + 1));
