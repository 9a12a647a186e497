/** Reading the lock of a folder: the chain of files from `pds.lock` on. See the head of `lock.ts`. */
import { RepoError } from '../../core/errors.ts';
import { systemCodeOf } from '../../core/storage/storage-error.ts';
import type { Disk, DiskEntry } from './disk.ts';
import { isCopy } from './lock-identity.ts';
import { LOCK_NAME, successorOf } from './lock-names.ts';
import type { LockRecord } from './lock-record.ts';
import { parseLock } from './lock-record.ts';

/**
 * A file without a record that is younger than this is one being written. Writing it takes well under a millisecond,
 * and a creator that was slower loses; after a kill in that moment somebody has to wait so long.
 */
export const SETTLE_MS = 2_000;

/** A chain grows by one for each owner that died while taking over; a longer one is not ours. */
const MAX_CHAIN = 1000;
/** A record has some 500 bytes. A much larger file is not a record, and is not read. */
const MAX_RECORD_SIZE = 4096;

/**
 * The tokens of this thread's own locks, by the disk. Those that it could neither remove nor withdraw in writing are
 * given up: to others they are held until the thread ends; to the thread itself they are dead.
 */
const own: WeakMap<Disk, Map<string, 'given up' | 'held'>> = /* @__PURE__ */ new WeakMap();

export const noteOwn = (disk: Disk, { token }: LockRecord, what: 'given up' | 'held'): void => {
  own.set(disk, (own.get(disk) ?? new Map<string, 'given up' | 'held'>()).set(token, what));
};

export const forgetOwn = (disk: Disk, { token }: LockRecord): void => void own.get(disk)?.delete(token);

/** Where the walk along the chain ends. */
export type Position =
  | { readonly kind: 'free'; readonly name: string }
  | { readonly kind: 'own' }
  | { readonly kind: 'held'; readonly holder: LockRecord; readonly unsure: boolean }
  | { readonly kind: 'unsettled' };

/**
 * Walks the chain from `pds.lock` to the first file that is not dead, or to the name that the next one has to have.
 * @param token Of the caller's own file, if it has made one.
 */
export const walk = (disk: Disk, folder: string, token: string | undefined): Position => {
  let name = LOCK_NAME;
  for (let step = 0; step < MAX_CHAIN; step++) {
    const path = disk.join(folder, name);
    const found = look(disk, path);
    if (found === undefined) {
      return { kind: 'free', name };
    }
    const { record, entry } = found;
    if (record !== undefined && record.token === token) {
      return { kind: 'own' };
    }
    if (record === undefined) {
      // A clock that was set back makes the file one of the future, and that is no reason to wait for it.
      if (Math.abs(Date.now() - entry.modifiedMs) < SETTLE_MS) {
        return { kind: 'unsettled' };
      }
    } else if (record.withdrawn !== true && !isCopy(disk, folder, record, entry)) {
      const known = own.get(disk)?.get(record.token);
      const liveness = known === undefined ? disk.livenessOf(record, path) : known === 'held' ? 'alive' : 'gone';
      if (liveness !== 'gone') {
        return { kind: 'held', holder: record, unsure: liveness === 'unknown' };
      }
    }
    name = successorOf(name, record?.madeMs ?? entry.modifiedMs);
  }
  throw new RepoError(
    'StorageFailed',
    `more than ${MAX_CHAIN} lock files lead from one to the next: close every program that uses the folder, and remove pds.lock and pds.lock.*; folder=${folder}`,
  );
};

/** Returns what a lock file holds, or `undefined` if it is missing. */
export const look = (
  disk: Disk,
  path: string,
): { readonly record: LockRecord | undefined; readonly entry: DiskEntry } | undefined => {
  const entry = disk.entry(path);
  if (entry === undefined) {
    return undefined;
  }
  if (entry.kind !== 'file') {
    throw new RepoError('StorageFailed', `the lock is no regular file; path=${path}`);
  }
  try {
    return { record: entry.size > MAX_RECORD_SIZE ? undefined : parseLock(disk.readText(path)), entry };
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
};
