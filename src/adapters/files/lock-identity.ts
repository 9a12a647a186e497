/**
 * Whether a lock file is the one that its holder made. A folder that is copied while somebody has it open takes the
 * lock file along, and its holder knows nothing of the copy.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { sha256 } from '../../core/data/sha256.ts';
import type { Disk, DiskEntry } from './disk.ts';
import type { LockHolder, LockRecord } from './lock-record.ts';

/** Bytes of the hash that stands for a path, which may be long. */
const HASH_LENGTH = 16;

/** Returns a name for the place of a folder, the same through any link, or `undefined` where that is not known. */
export const placeOf = (disk: Disk, folder: string): string | undefined => {
  const path = disk.realPath(folder);
  return path && bytesToHex(sha256(new TextEncoder().encode(path)).subarray(0, HASH_LENGTH));
};

/** Whether both ran since the same start of the same machine, and count processes and files alike. */
const isSameMachine = (holder: LockHolder, self: LockHolder): boolean => {
  const isSameBoot = holder.boot === self.boot && (holder.boot !== undefined || holder.host !== undefined);
  return isSameBoot && (holder.boot !== undefined || holder.host === self.host) && holder.namespace === self.namespace;
};

/**
 * Whether this file is the copy of a lock. It is when it is another file than the one that the record is of, and in
 * another place: a folder that is moved keeps its files, and some network file systems number a file anew each time. On
 * another machine nothing is known.
 */
export const isCopy = (disk: Disk, folder: string, record: LockRecord, { id }: DiskEntry): boolean => {
  if (record.file === undefined || id === undefined || record.file === id || record.place === undefined) {
    return false;
  }
  if (!isSameMachine(record, disk.self())) {
    return false;
  }
  const place = placeOf(disk, folder);
  return place !== undefined && place !== record.place;
};
