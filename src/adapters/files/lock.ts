/**
 * The lock file `pds.lock` in a repository's folder: one owner at a time. The file system must create a file
 * exclusively (O_EXCL) and rename over a file atomically. The kernel does not release this lock, so a stale lock must
 * be taken over, and of several processes that try, only one may succeed.
 *
 * Reading a lock (`lock-chain.ts`). A lock file has the record of its creator, a thread of a process. A file is
 *   - *held* while that thread runs, or may run;
 *   - *stale* once the thread has ended or has withdrawn the lock, or if the file is a copy (`lock-identity.ts`);
 *   - *broken* if it has no record. The record is written directly after the creation. So a broken file counts as held
 *     for two seconds, and then as stale.
 *
 * Failover. No process removes or renames a stale file. Each file has exactly one successor name, which depends on its
 * own name and its creation time: the successor of `pds.lock`, created at m, is `pds.lock.m`; the successor of that
 * file, created at n, is `pds.lock.m.n`. The record contains the creation time; for a file without a record it is the
 * time of the last change. A name of more than 120 characters is replaced by its hash, `pds.lock.<hash>-`, because file
 * systems limit names. The files form a chain from `pds.lock`. A process that finds only stale files creates the next
 * one. Then it
 *   1. writes its record,
 *   2. checks whether its file has a successor. If so, another process took the file for stale: it withdraws its
 *     record,
 *   3. walks the chain again from `pds.lock`. If the walk does not end at its own token, it has lost,
 *   4. renames its file to `pds.lock`, and then removes the other files of the chain.
 *
 * At most one process succeeds. A stale file stays stale, except a file without a record. Files of the chain are
 * removed by an owner, whose record is then in `pds.lock`, or by a creator that has lost (step 2 shows that it has no
 * successor).
 *   - Two contenders in one chain have files at different depths, because a name can be created only once. The walk of
 *     the deeper one ends at the other, which is alive.
 *   - A contender that saw an old chain creates a file after the winner's rename. Its walk (3) starts at `pds.lock` and
 *     ends at the winner. If the winner has released the lock, the walk ends at no file or at another owner. Before the
 *     rename, the winner's file has the name in question; the rename moves it and replaces `pds.lock` in one step.
 *   - A creator was stopped for more than two seconds before step 1, and a contender took its file for stale. The
 *     creator writes its record, then checks for a successor; the contender creates the successor, then reads the
 *     record (3). So at least one sees the other. If the creator sees the successor, or dies before the check, only the
 *     contender can succeed. If the successor was already removed, it was renamed before, and the creator's walk does
 *     not find its own record. A creator withdraws through its open file and not by name, because the name may already
 *     belong to the winner.
 *
 * A process compares the id of its open file with that of the path, where the disk has one, instead of reading its
 * record back. The id is of the open file: its path may have a contender's file by then.
 *
 * Kernel locks are not used, except Deno's flock: no kernel lock is available in every runtime. SQLite's own lock ends
 * as soon as the process closes any descriptor of the file.
 *
 * Releasing removes `pds.lock` if it still has our token. If the removal fails, the record is withdrawn.
 */
import { pause } from '../../core/data/pause.ts';
import { RepoError } from '../../core/errors.ts';
import { systemCodeOf, toStorageError } from '../../core/storage/storage-error.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { OwnFile, Position } from './lock-chain.ts';
import { forgetOwn, look, noteOwn, WRITING_MS, walk } from './lock-chain.ts';
import { placeOf } from './lock-identity.ts';
import { CLAIM, LOCK_NAME, successorOf } from './lock-names.ts';
import { createToken, describeHolder, formatLock } from './lock-record.ts';
import type { LockRecord } from './lock-record.ts';

/** Attempts to take the lock while other processes are faster. */
const MAX_ROUNDS = 64;

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;

export interface LockOptions {
  /** Milliseconds to wait until the owner releases the lock. Default: 0. */
  readonly waitMs?: number | undefined;
  /** Aborts the wait. */
  readonly signal?: AbortSignal | undefined;
}

export interface Lock {
  /** Returns `false` if the lock file was removed or replaced. */
  isHeld(): boolean;
  /** Releases the lock. A second call does nothing. */
  release(): void;
}

/**
 * Takes the lock of a folder. If another process is writing a lock file, or was killed before it did, this waits for up
 * to {@link WRITING_MS}.
 * @throws {RepoError} `Locked` if another owner has it, at once or after `waitMs`; `StorageFailed` or `StorageFull` if
 *   the lock file cannot be read or written.
 */
export const acquireLock = (disk: Disk, folder: string, options: LockOptions = {}): Promise<Lock> =>
  waitFor(disk, folder, options, () => {
    const outcome = tryLock(disk, folder);
    return 'release' in outcome ? { done: outcome } : outcome;
  });

/**
 * Waits until the lock of a folder is free, without taking it. Another process may take it at any time.
 * @throws {RepoError} The codes of {@link acquireLock}.
 */
export const awaitUnlocked = (disk: Disk, folder: string, options: LockOptions = {}): Promise<void> =>
  waitFor(disk, folder, options, () => {
    const position = attempt('reading', folder, () => walk(disk, folder));
    return position.kind === 'free' ? { done: undefined } : position;
  });

/** Returns `held` if the owner runs or may run, `stale` if it has ended, and `free` if there is no lock file. */
export const lockStateOf = (disk: Disk, folder: string): 'free' | 'held' | 'stale' => {
  const position = attempt('reading', folder, () => walk(disk, folder));
  return position.kind !== 'free' ? 'held' : position.name === LOCK_NAME ? 'free' : 'stale';
};

const waitFor = async <T>(
  disk: Disk,
  folder: string,
  { waitMs = 0, signal }: LockOptions,
  look: () => Position | { readonly done: T },
): Promise<T> => {
  const begin = performance.now();
  let interval = FIRST_PAUSE_MS;
  for (;;) {
    signal?.throwIfAborted();
    const outcome = look();
    if ('done' in outcome) {
      return outcome.done;
    }
    const timeoutMs = outcome.kind === 'writing' ? Math.max(waitMs, WRITING_MS + LONGEST_PAUSE_MS) : waitMs;
    const left = begin + timeoutMs - performance.now();
    if (!(left > 0)) {
      throw refusal(disk, folder, outcome);
    }
    await pause(Math.min(interval, left), signal);
    interval = Math.min(interval * 2, LONGEST_PAUSE_MS);
  }
};

const refusal = (disk: Disk, folder: string, position: Position): RepoError => {
  const file = disk.join(folder, LOCK_NAME);
  if (position.kind !== 'held') {
    return new RepoError('Locked', `another process is opening the repository: try again; lock=${file}`);
  }
  const { holder, unsure } = position;
  const isDeno = disk.self().runtime === 'deno';
  // If this runtime cannot check the holder, name one that can: Deno checks flocks of Deno, Node checks processes.
  const judge = isDeno && holder.runtime !== 'deno' ? 'Node' : !isDeno && holder.flock === true ? 'Deno' : undefined;
  const once = judge === undefined ? '' : `open the repository once in ${judge}, or `;
  const advice = unsure
    ? `. This process cannot check whether the holder still runs: if it has ended, ${once}remove the lock file`
    : ': close it there, or wait with waitMs';
  return new RepoError(
    'Locked',
    `another process or thread has the repository open${advice}; holder=${describeHolder(holder)} lock=${file}`,
  );
};

/** Takes the lock, or returns the position that prevents it. Synchronous. */
export const tryLock = (disk: Disk, folder: string): Lock | Position =>
  attempt('taking', folder, () => {
    let position: Position = { kind: 'writing' };
    for (let round = 0; round < MAX_ROUNDS; round++) {
      position = walk(disk, folder);
      if (position.kind !== 'free') {
        return position;
      }
      const lock = claim(disk, folder, position.name);
      if (lock !== undefined) {
        return lock;
      }
    }
    return position;
  });

const attempt = <T>(doing: string, folder: string, run: () => T): T => {
  try {
    return run();
  } catch (error) {
    throw toStorageError(error, `${doing} the lock in ${folder}`);
  }
};

/** Steps 1 to 4. Returns `undefined` if another process was faster: the caller starts over. */
const claim = (disk: Disk, folder: string, name: string): Lock | undefined => {
  const path = disk.join(folder, name);
  let file: DiskFile;
  try {
    file = disk.createLocked(path);
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') {
      return undefined;
    }
    throw error;
  }
  let record: LockRecord | undefined;
  try {
    const opened = file.entry?.();
    const entry = opened ?? disk.entry(path);
    if (entry === undefined) {
      // An owner has removed it: another process was faster.
      file.close();
      return undefined;
    }
    const successor = disk.join(folder, successorOf(name, entry.modifiedMs));
    record = {
      ...disk.self(),
      token: createToken(),
      madeMs: entry.modifiedMs,
      file: entry.id,
      place: placeOf(disk, folder),
      descriptor: file.descriptor,
    };
    writeRecord(disk, file, record, path, successor);
    if (disk.entry(successor) !== undefined) {
      withdraw(file, record);
      return undefined;
    }
    const own = { record, id: opened?.id };
    if (walk(disk, folder, own).kind === 'own') {
      return becomeOwner(disk, folder, name, file, own);
    }
    if (name !== LOCK_NAME) {
      disk.remove(path);
    }
  } catch (error) {
    if (record !== undefined) {
      giveUp(disk, file, record);
    }
    file.close();
    throw error;
  }
  file.close();
  return undefined;
};

const writeRecord = (disk: Disk, file: DiskFile, record: LockRecord, path: string, successor: string): void => {
  try {
    file.write(encodeLock(record), { at: 0 });
  } catch (error) {
    // If the disk is full, an empty file would lock the folder for two seconds.
    if (disk.entry(successor) === undefined) {
      disk.remove(path);
    }
    throw error;
  }
};

/** Marks a record as withdrawn, through the open file: another process may have renamed or replaced its name. */
const withdraw = (file: DiskFile, record: LockRecord): void => {
  try {
    // Longer than the record that it overwrites.
    file.write(encodeLock({ ...record, withdrawn: true }), { at: 0 });
  } finally {
    file.close();
  }
};

/** As {@link withdraw}, after an error. Never throws. */
const giveUp = (disk: Disk, file: DiskFile, record: LockRecord): void => {
  noteOwn(disk, record, 'given up');
  try {
    withdraw(file, record);
  } catch {
    // The first error is reported. The record is stale for this process now, and for others when this process ends.
  }
};

const encodeLock = (record: LockRecord): Uint8Array => new TextEncoder().encode(formatLock(record));

/**
 * Step 4. The file stays open, because its flock ends when it is closed, and `isHeld` checks whether it has a name.
 */
const becomeOwner = (disk: Disk, folder: string, name: string, file: DiskFile, own: OwnFile): Lock => {
  const { record } = own;
  const path = disk.join(folder, LOCK_NAME);
  if (name !== LOCK_NAME) {
    disk.rename(disk.join(folder, name), path);
  }
  const removeClaims = (): void => {
    for (const other of disk.names(folder)) {
      if (CLAIM.test(other)) {
        disk.remove(disk.join(folder, other));
      }
    }
  };
  removeClaims();
  noteOwn(disk, record, 'held');
  // Some file systems do not count names. The check is skipped there.
  const countsNames = file.hasName();
  let isReleased = false;
  return {
    isHeld: () => !countsNames || file.hasName(),
    release() {
      if (isReleased) {
        return;
      }
      isReleased = true;
      forgetOwn(disk, record);
      try {
        // A person may have removed the file, and another process may have taken the lock since.
        if (look(disk, path, own)?.record?.token === record.token) {
          removeClaims();
          disk.remove(path);
        }
      } catch (error) {
        giveUp(disk, file, record);
        throw toStorageError(error, `releasing the lock in ${folder}`);
      } finally {
        file.close();
      }
    },
  };
};
