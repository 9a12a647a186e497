/**
 * Removes orphaned folders: temporary folders of a killed backup, restoration or import, beside its target. The owner
 * of a temporary folder holds a lock in it. The next operation on the same target removes folders with a stale lock.
 */
import type { Place } from './place.ts';
import { isSiblingOf, removeTree } from './place.ts';

/** The locks of folders beside a target. */
export interface SiblingLocks {
  /** Takes the lock of a temporary folder, so that other processes do not remove it. */
  hold(name: string): Promise<{ release(): void }>;
  /** Returns `held` if the owner runs or may run, `stale` if it has ended, and `free` if there is no lock. */
  stateOf(name: string): 'free' | 'held' | 'stale';
}

/**
 * A folder without a lock is removed after this time. A folder has no lock for some milliseconds before it is renamed,
 * after a power cut, and in older versions.
 */
const OLD_MS = 60 * 60 * 1000;

/**
 * Removes the orphaned folders beside a place. Ignores errors: the next operation tries again.
 * @param what `tmp` for incomplete folders; `old` for replaced folders, once the target exists again.
 */
export const removeOrphanedFolders = async (
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
    // The parent folder is missing, or the permission for it. The next write reports it.
  }
};
