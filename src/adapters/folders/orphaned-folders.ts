/**
 * Folders that a killed backup, restoration or import has left beside its target. Their owner holds a lock in them. The
 * next one into the same place removes those whose owner is dead.
 */
import type { Place } from './place.ts';
import { isSiblingOf, removeTree } from './place.ts';

/** The locks of folders beside a target. */
export interface SiblingLocks {
  /** Takes the lock of a folder, so that nobody takes it for a leftover. */
  hold(name: string): Promise<{ release(): void }>;
  /** Whether a folder has a lock: of an owner who is alive, or may be; of one who is dead; or none. */
  stateOf(name: string): 'free' | 'held' | 'stale';
}

/**
 * Between its last write and its renaming a folder has no lock, for some milliseconds. A leftover without one is that
 * of a power cut, or of a version that took none.
 */
const OLD_MS = 60 * 60 * 1000;

/**
 * Removes what was left beside a place. What cannot be removed stays: the next one tries again.
 * @param what `tmp` for what was begun; `old` for what was replaced, once something has the name again.
 */
export const removeLeftovers = async (
  { parent, name }: Place,
  what: 'old' | 'tmp',
  locks: SiblingLocks | undefined,
): Promise<void> => {
  if (locks === undefined) {
    return;
  }
  try {
    const found: string[] = [];
    for await (const other of parent.names('.')) {
      if (isSiblingOf(name, what, other)) {
        found.push(other);
      }
    }
    for (const other of found) {
      const entry = await parent.entry(other);
      if (entry?.kind !== 'folder') {
        continue;
      }
      const state = locks.stateOf(other);
      const isOld = entry.changedAt !== undefined && Date.now() - entry.changedAt > OLD_MS;
      if (state === 'stale' || (state === 'free' && isOld)) {
        await removeTree(parent, other);
      }
    }
  } catch {
    // The folder above is missing, or may not be looked at or written to. The write that follows reports it.
  }
};
