/**
 * Marks commits whose predecessor is unknown: an imported head may follow several commits of its host, and `gc` removes
 * old commits. No event can describe the changes of such a commit. Each marked commit has one meta value, which is
 * removed with the commit. The value is the time of the mark: the rev of an imported head may be much older.
 */
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import { tidToMicroseconds } from '../../syntax/tid.ts';

const jumpKey = (rev: string): string => `jump:${rev}`;

/** Marks a commit. Part of the change that adds the commit to the list, or that removes its predecessor. */
export const markJump = (change: BlockChange, rev: string): Promise<void> =>
  change.setMeta(jumpKey(rev), String(Date.now()));

/** Removes the mark. Part of the change that removes the commit from the list. */
export const forgetJump = (change: BlockChange, rev: string): Promise<void> => change.setMeta(jumpKey(rev), undefined);

/** Returns whether the predecessor of the commit with this rev is unknown. */
export const isJump = async (store: Pick<StoreReader, 'meta'>, rev: string): Promise<boolean> =>
  (await store.meta(jumpKey(rev))) !== undefined;

/** Returns when the commit with this rev became the head, in milliseconds since 1970, as its mark or its rev says. */
export const becameHeadAt = async (store: Pick<StoreReader, 'meta'>, rev: Tid): Promise<number> =>
  Math.max(tidToMicroseconds(rev) / 1000, Number((await store.meta(jumpKey(rev))) ?? 0));
