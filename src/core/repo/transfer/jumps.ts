/**
 * Marks commits whose predecessor is unknown: an imported head may follow several commits of its host, and `gc` removes
 * old commits. No event can say what such a commit changed. One meta value per marked commit, which goes with it.
 */
import type { BlockChange, StoreReader } from '../../storage/ports.ts';

const jumpKey = (rev: string): string => `jump:${rev}`;

/** Part of the change that adds the commit to the list, or that removes the one before it. */
export const markJump = (change: BlockChange, rev: string): Promise<void> => change.setMeta(jumpKey(rev), '');

/** Part of the change that removes the commit from the list. */
export const forgetJump = (change: BlockChange, rev: string): Promise<void> => change.setMeta(jumpKey(rev), undefined);

/** Returns whether the commit before the one with this rev is unknown. */
export const isJump = async (store: Pick<StoreReader, 'meta'>, rev: string): Promise<boolean> =>
  (await store.meta(jumpKey(rev))) !== undefined;
