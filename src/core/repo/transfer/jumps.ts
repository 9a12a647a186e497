/**
 * Marks commits whose predecessor is unknown: an imported head may follow several commits of its host, and `gc` removes
 * old commits. No event can describe the changes of such a commit. Each marked commit has one meta value, which is
 * removed with the commit.
 */
import type { BlockChange, StoreReader } from '../../storage/ports.ts';

const jumpKey = (rev: string): string => `jump:${rev}`;

/** Marks a commit. Part of the change that adds the commit to the list, or that removes its predecessor. */
export const markJump = (change: BlockChange, rev: string): Promise<void> => change.setMeta(jumpKey(rev), '');

/** Removes the mark. Part of the change that removes the commit from the list. */
export const forgetJump = (change: BlockChange, rev: string): Promise<void> => change.setMeta(jumpKey(rev), undefined);

/** Returns whether the predecessor of the commit with this rev is unknown. */
export const isJump = async (store: Pick<StoreReader, 'meta'>, rev: string): Promise<boolean> =>
  (await store.meta(jumpKey(rev))) !== undefined;
