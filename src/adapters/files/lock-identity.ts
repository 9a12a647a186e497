/**
 * Detects the copy of a lock file. If a folder is copied while it is open, the copy contains the lock file, but the
 * holder does not use the copy.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { sha256 } from '../../core/data/sha256.ts';
import type { Disk, DiskEntry } from './disk.ts';
import type { LockHolder, LockRecord } from './lock-record.ts';

/** Bytes of the hash of a path. A path may be too long for a record. */
const HASH_LENGTH = 16;

/** Returns a hash of the real path of a folder, or `undefined` if the path cannot be read. */
export const placeOf = (disk: Disk, folder: string): string | undefined => {
  const path = disk.realPath(folder);
  return path && bytesToHex(sha256(new TextEncoder().encode(path)).subarray(0, HASH_LENGTH));
};

/** Whether both run on the same boot of the same machine, with the same process namespace. */
const isSameMachine = (holder: LockHolder, self: LockHolder): boolean => {
  const isSameBoot = holder.boot === self.boot && (holder.boot !== undefined || holder.host !== undefined);
  return isSameBoot && (holder.boot !== undefined || holder.host === self.host) && holder.namespace === self.namespace;
};

/**
 * Whether a lock file is a copy: both its inode number and its folder differ from those in the record. One of them is
 * not enough, because a moved folder keeps its files, and some network file systems change inode numbers. On another
 * machine this returns `false`.
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
