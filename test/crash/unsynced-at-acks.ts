/**
 * A rule about the log alone, which finds a missing sync without luck: once something is acknowledged, all of it is
 * synced.
 */
import type { Recording } from './cut-run.ts';
import type { DiskImage } from './disk-image.ts';
import type { LogEntry } from './disk-log.ts';
import { PowerCut } from './power-cut.ts';

/**
 * A lock is nobody's after a power cut, and what a blob was written to before it had its name is removed at the next
 * opening.
 */
const MATTERS_NOT = /\/pds\.lock|\.tmp-/;

/**
 * Behind a commit SQLite repeats its last frame, to fill the sector, and syncs in the middle of the repetition. What
 * comes after the sync is less than a frame, of 24 bytes and a page, and nobody needs it. Nor that a log was emptied,
 * once it is checkpointed: what comes back is in the database.
 */
const FILLING = { name: /-wal$/, below: 24 + 4096 };

/** A sentence for each path that was not synced when a step was acknowledged. */
export const unsyncedAtAcks = ({ before, log }: Pick<Recording<DiskImage, LogEntry>, 'before' | 'log'>): string[] => {
  const power = new PowerCut(before);
  const found: string[] = [];
  for (const entry of log) {
    power.follow(entry);
    if (entry.kind === 'ack') {
      for (const [path, bytes] of power.unsynced()) {
        if (!MATTERS_NOT.test(path) && !(FILLING.name.test(path) && bytes < FILLING.below)) {
          found.push(`${path} after step ${entry.step}`);
        }
      }
    }
  }
  return found;
};
