/**
 * Reads the lock of a folder: the chain of files that begins at `pds.lock`. See the comment at the top of `lock.ts`.
 */
import { RepoError } from '../../core/errors.ts';
import { systemCodeOf } from '../../core/storage/storage-error.ts';
import type { Disk, DiskEntry } from './disk.ts';
import { isCopy } from './lock-identity.ts';
import { LOCK_NAME, successorOf } from './lock-names.ts';
import type { LockRecord } from './lock-record.ts';
import { parseLock } from './lock-record.ts';

/**
 * A younger lock file without a record counts as one that is being written. Writing takes less than a millisecond. A
 * slower creator loses the lock. If the creator is killed before it writes, others wait this long.
 */
export const WRITING_MS = 2_000;

/** A chain grows by one file per process that dies while it takes over the lock. */
const MAX_CHAIN = 1000;
/** A record has about 500 bytes. A larger file is not a record, and is not read. */
const MAX_RECORD_SIZE = 4096;

/**
 * The tokens of this thread's own locks, per disk. A lock that it could neither remove nor withdraw is `given up`: it
 * is stale for this thread, and held for others until the thread ends.
 */
const ownLocks: WeakMap<Disk, Map<string, 'given up' | 'held'>> = /* @__PURE__ */ new WeakMap();

export const noteOwn = (disk: Disk, { token }: LockRecord, what: 'given up' | 'held'): void => {
  ownLocks.set(disk, (ownLocks.get(disk) ?? new Map<string, 'given up' | 'held'>()).set(token, what));
};

export const forgetOwn = (disk: Disk, { token }: LockRecord): void => void ownLocks.get(disk)?.delete(token);

/** The result of a walk along the chain. */
export type Position =
  | { readonly kind: 'free'; readonly name: string }
  | { readonly kind: 'own' }
  | { readonly kind: 'held'; readonly holder: LockRecord; readonly unsure: boolean }
  | { readonly kind: 'writing' };

/** A lock file that this thread has created and still has open. */
export interface OwnFile {
  readonly record: LockRecord;
  /**
   * The id of the open file, and not of its path, which may have another file by now. `undefined` if the system does
   * not provide it. The id is unique while the file is open, so a path with this id needs not be read.
   */
  readonly id: string | undefined;
}

/**
 * Walks the chain from `pds.lock` to the first file that is not stale, or to the name of the next file.
 * @param own The caller's own file, if it has created one.
 */
export const walk = (disk: Disk, folder: string, own?: OwnFile): Position => {
  let name = LOCK_NAME;
  for (let step = 0; step < MAX_CHAIN; step++) {
    const path = disk.join(folder, name);
    const found = look(disk, path, own);
    if (found === undefined) {
      return { kind: 'free', name };
    }
    const { record, entry } = found;
    if (record !== undefined && record.token === own?.record.token) {
      return { kind: 'own' };
    }
    if (record === undefined) {
      // If the clock was set back, the time of the file is in the future. Do not wait for it then.
      if (Math.abs(Date.now() - entry.modifiedMs) < WRITING_MS) {
        return { kind: 'writing' };
      }
    } else if (record.withdrawn !== true && !isCopy(disk, folder, record, entry)) {
      const known = ownLocks.get(disk)?.get(record.token);
      const liveness = known === undefined ? disk.livenessOf(record, path) : known === 'held' ? 'alive' : 'gone';
      if (liveness !== 'gone') {
        return { kind: 'held', holder: record, unsure: liveness === 'unknown' };
      }
    }
    name = successorOf(name, record?.madeMs ?? entry.modifiedMs);
  }
  throw new RepoError(
    'StorageFailed',
    `the folder has a chain of more than ${MAX_CHAIN} lock files: close every program that uses the folder, and remove pds.lock and pds.lock.*; folder=${folder}`,
  );
};

/**
 * Returns the record and the entry of a lock file, or `undefined` if it is missing.
 * @param own The caller's own file, if it has created one. It is not read.
 */
export const look = (
  disk: Disk,
  path: string,
  own?: OwnFile,
): { readonly record: LockRecord | undefined; readonly entry: DiskEntry } | undefined => {
  const entry = disk.entry(path);
  if (entry === undefined) {
    return undefined;
  }
  if (entry.kind !== 'file') {
    throw new RepoError(
      'StorageFailed',
      `the lock file is a link, a pipe, a device or a folder: remove it; path=${path}`,
    );
  }
  if (own?.id !== undefined && entry.id === own.id) {
    return { record: own.record, entry };
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
