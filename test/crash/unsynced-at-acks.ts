/**
 * A rule for the log alone, which always detects a missing sync: when a step is acknowledged, all of its data is
 * synced.
 */
import type { Recording } from './cut-run.ts';
import type { DiskImage } from './disk-image.ts';
import type { LogEntry } from './disk-log.ts';
import { PowerCut } from './power-cut.ts';

/** After a power cut, a lock has no owner. The temporary file of a blob is removed at the next opening. */
const MATTERS_NOT = /\/pds\.lock|\.tmp-/;

/**
 * SQLite repeats the last frame behind a commit, to fill the sector, and syncs in the middle of the repetition. The
 * bytes after the sync are less than a frame of 24 bytes and a page, and are not needed. The truncation of a
 * checkpointed WAL is not needed either: the database has the content of an old WAL.
 */
const FILLING = { name: /-wal$/, below: 24 + 4096 };

/** Returns a sentence for each path that was not synced when a step was acknowledged. */
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
