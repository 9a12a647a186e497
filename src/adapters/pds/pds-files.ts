/**
 * Opens the database of a PDS for reading, also while the PDS writes to it. SQLite appends to the WAL, which changes
 * nothing that was read. A checkpoint writes the main file, and the next write restarts the WAL. Both are detected.
 */
import { RepoError } from '../../core/errors.ts';
import { JOURNAL_SUFFIX, WAL_SUFFIX } from '../../core/storage/layout.ts';
import { isNotFound, toStorageError } from '../../core/storage/storage-error.ts';
import type { ReadOnlyFiles, SyncFile } from '../../wasm/vfs/database-files.ts';
import type { Disk, DiskFile } from '../files/disk.ts';

/** The name of the database in the folder of an account. */
const STORE_NAME = 'store.sqlite';

/** Clocks of file systems tick every 4 ms, or more slowly on old systems. A file that has just changed is not read. */
const TICK_MS = 20;

/** Offset and length of the salts in a WAL. A new WAL has other salts. */
const AT_SALTS = 16;
const SALTS_LENGTH = 8;

const refuse = (): never => {
  throw new RepoError('ReadOnly', 'the database of a PDS is open for reading only: import the account to change it');
};

const readOnly = (file: DiskFile | undefined): SyncFile => ({
  read: (buffer, options) => file?.read(buffer, options) ?? 0,
  getSize: () => file?.getSize() ?? 0,
  write: refuse,
  truncate: refuse,
  flush: () => {},
});

const openIfThere = (disk: Disk, path: string): DiskFile | undefined => {
  try {
    return disk.openReading(path);
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
    return undefined;
  }
};

const versionOf = (disk: Disk, path: string): string => {
  const entry = disk.entry(path);
  return entry === undefined ? 'missing' : (entry.version ?? `${entry.size}:${entry.modifiedMs}`);
};

/** Returns the path of the database. @throws {RepoError} `RepoNotFound`. */
const storeIn = (disk: Disk, given: string): string => {
  const path = disk.resolve(given);
  const store = disk.isFolder(path) ? disk.join(path, STORE_NAME) : path;
  const entry = given === '' ? undefined : disk.entry(store);
  if (entry?.kind !== 'file') {
    throw new RepoError(
      'RepoNotFound',
      `the PDS has no database here: give the folder of the account, or its ${STORE_NAME}; path=${given}`,
    );
  }
  return store;
};

/**
 * Opens `store.sqlite` with its WAL.
 * @param given The file, or the folder that contains it.
 * @throws {RepoError} `RepoNotFound`, `StorageFailed`.
 */
export const openPdsFiles = async (disk: Disk, given: string): Promise<ReadOnlyFiles> => {
  const opened: (DiskFile | undefined)[] = [];
  const closeAll = (): void => opened.splice(0).forEach((file) => file?.close());
  try {
    const main = storeIn(disk, given);
    const journal = main + JOURNAL_SUFFIX;
    const wait = TICK_MS - (Date.now() - disk.entry(main)!.modifiedMs);
    if (wait > 0) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(wait, TICK_MS)));
    }
    for (const path of [main, journal, main + WAL_SUFFIX]) {
      opened.push(openIfThere(disk, path));
    }
    const [, , wal] = opened;
    const versions = (): string => {
      const salts = new Uint8Array(SALTS_LENGTH);
      const length = wal?.read(salts, { at: AT_SALTS }) ?? 0;
      // A WAL that is created later belongs to a later state. Its checkpoint changes the main file.
      return `${versionOf(disk, main)} ${versionOf(disk, journal)} ${String(salts.subarray(0, length))}`;
    };
    const before = versions();
    return {
      durableOn: 'flush',
      main: readOnly(opened[0]),
      journal: readOnly(opened[1]),
      wal: readOnly(wal),
      isCurrent: () => versions() === before,
      persist: async () => {},
      close: async () => closeAll(),
      [Symbol.asyncDispose]: async () => closeAll(),
    };
  } catch (error) {
    closeAll();
    throw toStorageError(error, `opening ${given} for reading`);
  }
};
