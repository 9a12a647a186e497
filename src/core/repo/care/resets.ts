/**
 * Which commits were taken from the list by a reset. Their blocks stay until `gc`, and a repair must not bring them
 * back.
 */
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';

/** The meta name: one line for each reset, with the rev that became the head's and the last rev that was removed. */
const RESETS = 'resets';

/** Part of the change that takes the commits after `rev` up to `last` from the list. */
export const noteReset = async (change: BlockChange, rev: Tid, last: Tid): Promise<void> => {
  const before = await change.meta(RESETS);
  await change.setMeta(RESETS, [...(before === undefined ? [] : [before]), `${rev} ${last}`].join('\n'));
};

/**
 * Part of a change that removes blocks. Forgets the resets whose commits are all gone: a ref or a reader may hold some
 * of them, and they stay as blocks for a while once it lets go.
 * @param kept The revs of the commits that stay.
 */
export const forgetResets = async (change: BlockChange, kept: readonly string[]): Promise<void> => {
  const before = await change.meta(RESETS);
  if (before === undefined) {
    return;
  }
  const needed = before.split('\n').filter((line) => {
    const [after = '', last = ''] = line.split(' ');
    return kept.some((rev) => rev > after && rev <= last);
  });
  const text = needed.length === 0 ? undefined : needed.join('\n');
  if (text !== before) {
    await change.setMeta(RESETS, text);
  }
};

/** Tells whether a commit that is not in the list may have been taken from it by a reset. */
export const readResets = async (store: Pick<StoreReader, 'meta'>): Promise<(rev: string) => boolean> => {
  const lines = ((await store.meta(RESETS)) ?? '').split('\n').map((line) => line.split(' '));
  return (rev) => lines.some(([after = '', last = '']) => rev > after && rev <= last);
};
