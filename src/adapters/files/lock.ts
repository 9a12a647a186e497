/**
 * One owner at a time: the lock file `pds.lock` in the repository's folder. It needs no more than a file system that
 * creates a file or says that it exists (O_EXCL), and that renames over a file in one step. The kernel does not release
 * it, so a lock whose process is gone has to be taken over, and of many who want to, only one may.
 *
 * Reading a lock (`lock-chain.ts`). A file holds the record of its creator, which is a thread of a process. It is
 * *held* while that thread is alive, or may be; *dead* once it is gone or has withdrawn in writing, and where the file
 * is the copy of a lock (`lock-identity.ts`); *broken* when it holds no record. The record is written right after the
 * creation, so a broken file younger than two seconds is a lock being taken, and counts as held; later, as dead.
 *
 * Taking over. Nobody removes or renames what is dead. Each file has one successor, whose name follows from its own
 * name and from the time of its creation: of `pds.lock`, made at m, it is `pds.lock.m`; of that, made at n,
 * `pds.lock.m.n`. The time stands in the record, and is the time of the last change of a file without one, so the
 * successor does not depend on what is known of the file. File systems limit the length of a name, so a name of more
 * than 120 characters is replaced by a hash of it: `pds.lock.<hash>-`. It still follows from these two alone, and two
 * files still have two successors. The files form a chain from `pds.lock` on. Whoever finds nothing but dead
 * files creates the next one, and then
 *   1. writes its record,
 *   2. looks whether its file has a successor already; if so, it has been taken for dead, and withdraws in writing,
 *   3. walks the chain again from `pds.lock`; unless the walk ends at its own token, it has lost,
 *   4. renames its file over `pds.lock`, and only then removes what is left of the chain.
 *
 * Why at most one gets through. Dead is final, but for a file without a record. Files of the chain are removed by an
 * owner, whose record then stands in `pds.lock`, or by a creator who has lost (2 shows that nobody has succeeded it).
 *   - Two contenders in one chain hold files at different depths, because creating a name twice fails, and the walk of
 *     the deeper one passes the other, who is alive: it ends there.
 *   - A contender that saw an old chain, and creates a file after the winner has renamed: its walk (3) starts at
 *     `pds.lock` and ends at the winner, or, when that has released, finds nothing or somebody else. Before the rename,
 *     the winner's file is in the way of that name; the rename moves it and replaces `pds.lock` in the same step.
 *   - A creator that was stopped for more than two seconds before (1), and a contender that took its file for dead: the
 *     creator writes the record, then looks for a successor; the contender creates the successor, then reads the
 *     record (3). One of the two sees the other. If the creator sees the successor, or dies before it looks, the
 *     contender is the only one who may succeed it. If the successor is gone already, it was renamed before it was
 *     removed, and the creator's walk does not find its own record. A creator withdraws through its open file, never
 *     by name: the name may be the winner's by now.
 *
 * Why no lock of the kernel, but for Deno's flock: no runtime's lock is seen by all others, and a lock that others do
 * not take excludes nobody. SQLite's own ends as soon as anybody in the process closes a descriptor of the file.
 *
 * Releasing removes `pds.lock`, if it still holds our token; where that fails, it withdraws in writing.
 */
import { RepoError } from '../../core/errors.ts';
import { systemCodeOf, toStorageError } from '../../core/storage/storage-error.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { Position } from './lock-chain.ts';
import { forgetOwn, look, noteOwn, SETTLE_MS, walk } from './lock-chain.ts';
import { placeOf } from './lock-identity.ts';
import { CLAIM, LOCK_NAME, successorOf } from './lock-names.ts';
import { createToken, describeHolder, formatLock } from './lock-record.ts';
import type { LockRecord } from './lock-record.ts';

/** How often to start over when others were faster. */
const MAX_ROUNDS = 64;

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;

export interface LockOptions {
  /** Milliseconds to wait for the owner to let go; 0 when left out. */
  readonly waitMs?: number | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

export interface Lock {
  /** Whether the lock file is still the one that we hold: somebody may have removed or replaced it. */
  isHeld(): boolean;
  /** Lets others in. A second call does nothing. */
  release(): void;
}

/**
 * Takes the lock of a folder. Where somebody is just taking it, or was killed in that moment, it waits until that is
 * settled.
 * @throws {RepoError} `Locked` when somebody else has it, at once or after `waitMs`; `StorageFailed` or `StorageFull`
 *   when the lock file cannot be read or written.
 */
export const acquireLock = (disk: Disk, folder: string, options: LockOptions = {}): Promise<Lock> =>
  waitFor(disk, folder, options, () => {
    const answer = tryLock(disk, folder);
    return 'release' in answer ? { done: answer } : answer;
  });

/**
 * Waits until nobody holds the lock of a folder, and takes nothing. Somebody may take it at any time.
 * @throws {RepoError} As {@link acquireLock} does.
 */
export const awaitUnlocked = (disk: Disk, folder: string, options: LockOptions = {}): Promise<void> =>
  waitFor(disk, folder, options, () => {
    const position = attempt('reading', folder, () => walk(disk, folder, undefined));
    return position.kind === 'free' ? { done: undefined } : position;
  });

/** Whether a folder has a lock file: of an owner who is alive, or may be; of one who is dead; or none. */
export const lockStateOf = (disk: Disk, folder: string): 'free' | 'held' | 'stale' => {
  const position = attempt('reading', folder, () => walk(disk, folder, undefined));
  return position.kind !== 'free' ? 'held' : position.name === LOCK_NAME ? 'free' : 'stale';
};

const waitFor = async <T>(
  disk: Disk,
  folder: string,
  { waitMs = 0, signal }: LockOptions,
  look: () => Position | { readonly done: T },
): Promise<T> => {
  const begin = performance.now();
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    signal?.throwIfAborted();
    const answer = look();
    if ('done' in answer) {
      return answer.done;
    }
    const timeoutMs = answer.kind === 'unsettled' ? Math.max(waitMs, SETTLE_MS + LONGEST_PAUSE_MS) : waitMs;
    const left = begin + timeoutMs - performance.now();
    if (!(left > 0)) {
      throw refusal(disk, folder, answer);
    }
    await sleep(Math.min(pause, left), signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
};

const refusal = (disk: Disk, folder: string, position: Position): RepoError => {
  const file = disk.join(folder, LOCK_NAME);
  if (position.kind !== 'held') {
    return new RepoError('Locked', `the repository is being opened by somebody else; lock=${file}`);
  }
  const { holder, unsure } = position;
  const isDeno = disk.self().runtime === 'deno';
  // Who cannot judge says who can: Deno knows the flocks of Denos, and Node the processes of this machine.
  const judge = isDeno && holder.runtime !== 'deno' ? 'Node' : !isDeno && holder.flock === true ? 'Deno' : undefined;
  const once = judge === undefined ? '' : `open the repository once in ${judge}, or `;
  const advice = `, and from here one cannot tell whether it still runs: if it does not, ${once}remove the lock file`;
  return new RepoError(
    'Locked',
    `the repository is open elsewhere${unsure ? advice : ''}; holder=${describeHolder(holder)} lock=${file}`,
  );
};

/** One try, in one go: takes the lock, or answers what is in the way. */
export const tryLock = (disk: Disk, folder: string): Lock | Position =>
  attempt('taking', folder, () => {
    let position: Position = { kind: 'unsettled' };
    for (let round = 0; round < MAX_ROUNDS; round++) {
      position = walk(disk, folder, undefined);
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

/** Steps 1 to 4. Answers `undefined` when somebody else was faster, and the walk has to start over. */
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
    const entry = disk.entry(path);
    if (entry === undefined) {
      // Removed by an owner: we are too late.
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
    if (walk(disk, folder, record.token).kind === 'own') {
      return settle(disk, folder, name, file, record);
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
    // Without room for a record, an empty file would keep everybody out for two seconds.
    if (disk.entry(successor) === undefined) {
      disk.remove(path);
    }
    throw error;
  }
};

/** Gives up a file that somebody else may have renamed or replaced by now: in writing, through the open file. */
const withdraw = (file: DiskFile, record: LockRecord): void => {
  try {
    // Longer than the record that it is written over, so nothing of that stays behind it.
    file.write(encodeLock({ ...record, withdrawn: true }), { at: 0 });
  } finally {
    file.close();
  }
};

/** As {@link withdraw}, for a failure that is on its way out. Never throws. */
const giveUp = (disk: Disk, file: DiskFile, record: LockRecord): void => {
  noteOwn(disk, record, 'given up');
  try {
    withdraw(file, record);
  } catch {
    // The failure that led here is the one to report. What stays of the record is dead here, and everywhere once this
    // process is.
  }
};

const encodeLock = (record: LockRecord): Uint8Array => new TextEncoder().encode(formatLock(record));

/**
 * Step 4, for the one who has won. The file stays open: an flock on it lasts as long as that, and whether it has a name
 * tells whether it is ours.
 */
const settle = (disk: Disk, folder: string, name: string, file: DiskFile, record: LockRecord): Lock => {
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
  // A file system that counts no names at all has nothing to tell.
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
        // Somebody may have removed the file by hand, and somebody else may have taken the lock since.
        if (look(disk, path)?.record?.token === record.token) {
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

const sleep = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
