/**
 * Records which commits a reset removed from the list. Their blocks stay until `gc`, and a repair must not add them
 * again.
 */
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';

/** The meta key. One line per reset: the rev of the new head, and the last removed rev. */
const RESETS = 'resets';

/** Part of the change that removes the commits after `rev` up to `last` from the list. */
export const noteReset = async (change: BlockChange, rev: Tid, last: Tid): Promise<void> => {
  const before = await change.meta(RESETS);
  await change.setMeta(RESETS, [...(before === undefined ? [] : [before]), `${rev} ${last}`].join('\n'));
};

/**
 * Part of a change that removes blocks. Drops the resets of which no commit stays. A ref may keep a removed commit,
 * whose blocks then stay until a later `gc`.
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

/** Returns a function that tests whether a reset may have removed the commit with a rev. */
export const readResets = async (store: Pick<StoreReader, 'meta'>): Promise<(rev: string) => boolean> => {
  const lines = ((await store.meta(RESETS)) ?? '').split('\n').map((line) => line.split(' '));
  return (rev) => lines.some(([after = '', last = '']) => rev > after && rev <= last);
};
