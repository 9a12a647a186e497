/** Opens the three files of a database in a folder, over the {@link Disk} of a runtime. */
import { RepoError } from '../../core/errors.ts';
import type { DatabaseFiles, SyncFile } from '../../wasm/vfs/database-files.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { Disk, DiskEntry } from './disk.ts';
import { FILE_NAMES, JOURNAL_NAME, PAGE_SIZE, WAL_NAME } from '../../core/storage/layout.ts';
import { FencedFile, FileNames, LazyFile, mayBeUnfinished } from './database-file.ts';
import { acquireLock } from './lock.ts';
import type { Lock, LockOptions } from './lock.ts';

export interface OpenFilesOptions extends LockOptions {
  /**
   * Creates the folder and the files, and refuses an existing database. Accepts the files of an interrupted creation: a
   * main file of one page, with or without a WAL. Default: the files must exist.
   */
  readonly create?: boolean | undefined;
}

/**
 * Opens the files of a folder, and locks the folder until `close`.
 * @throws {RepoError} `RepoNotFound`, `RepoExists`, `Locked`, `StorageFull`, `StorageFailed`. Nothing stays open or
 *   locked then.
 */
export const openDiskFiles = async (
  disk: Disk,
  directory: string,
  options: OpenFilesOptions = {},
): Promise<DatabaseFiles> => {
  const { create = false } = options;
  const folder = folderAt(disk, directory);
  const paths = FILE_NAMES.map((name) => disk.join(folder, name));
  attempt(`opening ${folder}`, () => {
    // Before the lock, so that a folder without a repository stays unchanged.
    if (create) {
      if (lookAt(disk, folder) !== undefined && !disk.isFolder(folder)) {
        throw new RepoError(
          'StorageFailed',
          `cannot create the folder of the repository: the path is a file, or a symbolic link to a missing target. Choose another folder; path=${folder}`,
        );
      }
      disk.makeFolder(folder);
    }
    // A database with content is checked once, under the lock.
    if (create || !hasBytes(lookAt(disk, paths[0]!))) {
      assertPresence(disk, folder, paths, create);
    }
  });
  const lock = await acquireLock(disk, folder, options);
  const opened: LazyFile[] = [];
  const created: string[] = [];
  try {
    return attempt(`opening ${folder}`, () => {
      const entries = checkedEntries(disk, folder, paths, create);
      const names = new FileNames(disk, folder);
      paths.forEach((path, i) => {
        // `create` creates the main file at once. The first write creates a journal.
        const isNew = entries[i] === undefined;
        opened.push(new LazyFile(names, path, !isNew || i === 0));
        if (isNew && i === 0) {
          created.push(path);
        }
      });
      if (create) {
        if (!mayBeUnfinished(opened[0]!)) {
          throw alreadyThere(paths[0]!);
        }
        names.makeDurable();
      }
      const [main, journal, wal] = opened as [LazyFile, LazyFile, LazyFile];
      return new DiskFiles(disk, folder, lock, main, journal, wal);
    });
  } catch (error) {
    abandon(disk, opened, created, lock);
    throw error;
  }
};

/** Returns the absolute path of a repository's folder. @throws {RepoError} `RepoNotFound` if the path is empty. */
export const folderAt = (disk: Disk, directory: string): string => {
  if (directory === '') {
    // It would resolve to the current folder, usually by mistake.
    throw new RepoError('RepoNotFound', 'the path of the repository is empty: for the current folder, use "."');
  }
  return disk.resolve(directory);
};

const attempt = <T>(doing: string, run: () => T): T => {
  try {
    return run();
  } catch (error) {
    throw toStorageError(error, doing);
  }
};

/** Undoes an open that failed. */
const abandon = (disk: Disk, opened: readonly LazyFile[], created: readonly string[], lock: Lock): void => {
  const steps = [
    ...opened.map((file) => () => file.close()),
    // Created under the lock just now, so they are empty. If the lock was lost, they belong to another owner.
    ...created.map((path) => () => (lock.isHeld() ? disk.remove(path) : undefined)),
    () => lock.release(),
  ];
  for (const step of steps) {
    try {
      step();
    } catch {
      // The first error is reported. An empty file that stays counts as missing.
    }
  }
};

/** Checks that the repository exists, or with `create` that it is missing. Returns the entries of the three files. */
export const assertPresence = (
  disk: Disk,
  folder: string,
  paths: readonly string[],
  create: boolean,
): (DiskEntry | undefined)[] => {
  if (!disk.isFolder(folder)) {
    throw noFolder(disk, folder);
  }
  return checkedEntries(disk, folder, paths, create);
};

const hasBytes = (entry: DiskEntry | undefined): boolean => entry?.kind === 'file' && entry.size > 0;

/** The same, in a folder that exists. */
const checkedEntries = (
  disk: Disk,
  folder: string,
  paths: readonly string[],
  create: boolean,
): (DiskEntry | undefined)[] => {
  const entries = paths.map((path) => {
    const entry = disk.entry(path);
    // Checked before it is opened: opening a FIFO blocks, and a symbolic link leads out of the locked folder. The code
    // is not `Corrupt`, because no bytes were read.
    if (entry !== undefined && entry.kind !== 'file') {
      throw new RepoError(
        'StorageFailed',
        `a file of the database is not a regular file: replace the link, pipe, device or folder; path=${path}`,
      );
    }
    return entry;
  });
  const [main, , wal] = entries;
  // An empty database without a WAL comes from an interrupted creation.
  const hasContent = (main?.size ?? 0) > 0 || (wal?.size ?? 0) > 0;
  // A database of one page may be empty too. It is checked when it is open.
  const isFirstPage = (main?.size ?? 0) > 0 && main!.size <= PAGE_SIZE;
  if (create && hasContent && !isFirstPage) {
    throw alreadyThere(paths[0]!);
  }
  if (!create && (main === undefined || !hasContent)) {
    throw new RepoError(
      'RepoNotFound',
      `the folder has no repository, because it has no ${FILE_NAMES[0]}: check the path, or create a repository there; path=${folder}`,
    );
  }
  return entries;
};

const alreadyThere = (path: string): RepoError =>
  new RepoError('RepoExists', `the repository already exists: open it, or choose another folder; path=${path}`);

/** Returns the entry of a path, or `undefined` if it is missing or cannot be read. */
const lookAt = (disk: Disk, path: string): DiskEntry | undefined => {
  try {
    return disk.entry(path);
  } catch {
    // A part of the path is a file, or has no permission. A later write reports it.
    return undefined;
  }
};

/** Returns the error for a path that is not a folder. */
const noFolder = (disk: Disk, path: string): RepoError => {
  const kind = lookAt(disk, path)?.kind;
  const is =
    kind === undefined
      ? 'the folder is missing. Check the path, or create a repository there'
      : kind === 'file'
        ? 'the path is a file, and a repository is a folder. Open a CAR as a CAR, or import it into a new folder'
        : 'the path is a link, a pipe or a device, and a repository is a folder. Check the path';
  return new RepoError('RepoNotFound', `cannot open the repository: ${is}; path=${path}`);
};

class DiskFiles implements DatabaseFiles {
  readonly durableOn = 'flush';
  readonly main: SyncFile;
  readonly journal: SyncFile;
  readonly wal: SyncFile;
  readonly #opened: readonly LazyFile[];
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #lock: Lock;
  #hasRemoved = false;
  #closing: Promise<void> | undefined;

  constructor(disk: Disk, folder: string, lock: Lock, main: LazyFile, journal: LazyFile, wal: LazyFile) {
    this.#disk = disk;
    this.#folder = folder;
    this.#lock = lock;
    this.#opened = [main, journal, wal];
    this.main = new FencedFile(main, lock);
    this.journal = new FencedFile(journal, lock);
    this.wal = new FencedFile(wal, lock);
  }

  async persist(): Promise<void> {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', `the files are closed: open the repository again; path=${this.#folder}`);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const errors: unknown[] = [];
    const steps = [
      ...this.#opened.map((file) => () => file.close()),
      () => this.#removeEmpty(1, JOURNAL_NAME),
      () => this.#removeEmpty(2, WAL_NAME),
      // Before the lock is released: after a power cut, a removed journal must not reappear beside a newer database.
      () => (this.#hasRemoved ? this.#disk.syncFolder(this.#folder) : undefined),
      () => this.#lock.release(),
    ];
    // Every step runs, also after an error, so that no handle and no lock is left.
    for (const step of steps) {
      try {
        step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) {
      throw toStorageError(errors[0], `closing ${this.#folder}`);
    }
  }

  /** @param index The index of the file in the opened files. A file that was never opened does not exist. */
  #removeEmpty(index: number, name: string): void {
    if (!this.#opened[index]!.exists) {
      return;
    }
    const path = this.#disk.join(this.#folder, name);
    // Without the lock, the file may belong to another owner, who is about to write it.
    if (this.#lock.isHeld() && this.#disk.entry(path)?.size === 0) {
      this.#hasRemoved = true;
      this.#disk.remove(path);
    }
  }
}
