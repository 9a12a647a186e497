/**
 * Opens the files of a folder for reading, without a lock and without writing, so the folder may be read-only. After
 * each read, the reader checks whether a writer has begun: the lock file, the size or time of a file, or the salts of
 * the WAL have changed.
 */
import { RepoError } from '../../core/errors.ts';
import { FILE_NAMES } from '../../core/storage/layout.ts';
import { isNotFound, toStorageError } from '../../core/storage/storage-error.ts';
import type { ReadOnlyFiles, SyncFile } from '../../wasm/vfs/database-files.ts';
import type { Disk, DiskFile } from './disk.ts';
import { assertPresence, folderAt } from './files-on-disk.ts';
import { LOCK_NAME } from './lock-names.ts';
import type { LockOptions } from './lock.ts';
import { awaitUnlocked } from './lock.ts';

/**
 * Clocks of file systems tick every 4 ms, or more slowly on old systems. Two writes within one tick leave the same
 * time. So a file that has just changed is checked again after this time.
 */
const TICK_MS = 20;

/** Offset and length of the salts in a WAL. */
const AT_SALTS = 16;
const SALTS_LENGTH = 8;

/** Attempts to open the files while writers change them. */
const MAX_TRIES = 64;

/** A file that is open for reading. A missing file reads as empty. */
class ReadOnlyFile implements SyncFile {
  readonly #file: DiskFile | undefined;

  constructor(disk: Disk, path: string) {
    try {
      this.#file = disk.openReading(path);
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
    }
  }

  read(buffer: Uint8Array, options: { at: number }): number {
    return this.#file?.read(buffer, options) ?? 0;
  }

  write(): never {
    throw new RepoError('ReadOnly', 'the file is open for reading only: open the repository without readOnly');
  }

  truncate(): never {
    return this.write();
  }

  getSize(): number {
    return this.#file?.getSize() ?? 0;
  }

  flush(): void {}

  close(): void {
    this.#file?.close();
  }
}

/** Returns the versions of the lock file and of the three files, as text, and the newest time. */
const versionsOf = (disk: Disk, paths: readonly string[]): { readonly text: string; readonly newestMs: number } => {
  const entries = paths.map((path) => disk.entry(path));
  return {
    text: entries.map((entry) => entry && (entry.version ?? `${entry.size}:${entry.modifiedMs}`)).join(' '),
    newestMs: Math.max(...entries.map((entry) => entry?.modifiedMs ?? 0)),
  };
};

class OpenReadOnlyFiles implements ReadOnlyFiles {
  readonly durableOn = 'flush';
  readonly main: ReadOnlyFile;
  readonly journal: ReadOnlyFile;
  readonly wal: ReadOnlyFile;
  readonly #versions: () => string;
  readonly #version: string;

  /** @param versions Returns the present versions of the files in the folder. */
  constructor(files: readonly [ReadOnlyFile, ReadOnlyFile, ReadOnlyFile], versions: () => string) {
    [this.main, this.journal, this.wal] = files;
    this.#versions = () => `${versions()} ${this.#salts()}`;
    this.#version = this.#versions();
  }

  isCurrent(): boolean {
    try {
      return this.#versions() === this.#version;
    } catch {
      // The folder is missing or no longer readable. Opening it again reports that.
      return false;
    }
  }

  async persist(): Promise<void> {}

  async close(): Promise<void> {
    for (const file of [this.main, this.journal, this.wal]) {
      file.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #salts(): string {
    const salts = new Uint8Array(SALTS_LENGTH);
    return String(salts.subarray(0, this.wal.read(salts, { at: AT_SALTS })));
  }
}

/**
 * Opens the files of a folder for reading, in a state between two writers.
 * @throws {RepoError} `RepoNotFound`; `Locked` while a writer has the folder open, at once or after `waitMs`;
 *   `StorageFailed`. Nothing stays open then.
 */
export const openReadOnlyFiles = async (
  disk: Disk,
  directory: string,
  options: LockOptions = {},
): Promise<ReadOnlyFiles> => {
  const folder = folderAt(disk, directory);
  const paths = FILE_NAMES.map((name) => disk.join(folder, name));
  const all = [disk.join(folder, LOCK_NAME), ...paths];
  const versions = (): string => versionsOf(disk, all).text;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    let opened: ReadOnlyFiles | undefined;
    try {
      assertPresence(disk, folder, paths, false);
      let before = versionsOf(disk, all);
      if (Math.abs(Date.now() - before.newestMs) < TICK_MS) {
        await new Promise((resolve) => setTimeout(resolve, TICK_MS));
        before = versionsOf(disk, all);
      }
      // After `versionsOf`, because a lock that is taken later changes the versions.
      await awaitUnlocked(disk, folder, options);
      opened = openAll(disk, paths, versions);
      if (versions() === before.text && opened.isCurrent()) {
        return opened;
      }
      await opened.close();
    } catch (error) {
      await opened?.close();
      throw toStorageError(error, `opening ${folder} for reading`);
    }
  }
  throw new RepoError(
    'Locked',
    `other processes kept writing to the repository during ${MAX_TRIES} attempts to open it: try again later; path=${folder}`,
  );
};

const openAll = (disk: Disk, paths: readonly string[], versions: () => string): ReadOnlyFiles => {
  const opened: ReadOnlyFile[] = [];
  try {
    for (const path of paths) {
      opened.push(new ReadOnlyFile(disk, path));
    }
    return new OpenReadOnlyFiles(opened as [ReadOnlyFile, ReadOnlyFile, ReadOnlyFile], versions);
  } catch (error) {
    for (const file of opened) {
      file.close();
    }
    throw error;
  }
};
