/** The three files of a database in a folder, over whatever {@link Disk} a runtime has. */
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
   * Makes the folder and the files, and refuses those that are there. What a creation that was cut short has left is
   * taken as it is: a main file of one page, with or without a log. When left out, they have to be there.
   */
  readonly create?: boolean | undefined;
}

/**
 * Opens the files of a folder, and owns them until `close`.
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
    // Before the lock, so that opening what is no repository leaves no trace in it.
    if (create) {
      if (lookAt(disk, folder) !== undefined && !disk.isFolder(folder)) {
        throw new RepoError(
          'StorageFailed',
          `a file, or a link that leads nowhere, is in the place of the folder of the repository; path=${folder}`,
        );
      }
      disk.makeFolder(folder);
    }
    assertPresence(disk, folder, paths, create);
  });
  const lock = await acquireLock(disk, folder, options);
  const opened: LazyFile[] = [];
  const created: string[] = [];
  try {
    return attempt(`opening ${folder}`, () => {
      const entries = assertPresence(disk, folder, paths, create);
      const names = new FileNames(disk, folder);
      paths.forEach((path, i) => {
        // The main file is made by its creation; the journals by who writes to them.
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

/** The absolute path of a repository's folder. @throws {RepoError} `RepoNotFound` when the path is empty. */
export const folderAt = (disk: Disk, directory: string): string => {
  if (directory === '') {
    // It resolves to the current folder, which nobody has meant.
    throw new RepoError('RepoNotFound', 'the path of the repository is empty; for the current folder, give "."');
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

/** Undoes an open that failed half way. */
const abandon = (disk: Disk, opened: readonly LazyFile[], created: readonly string[], lock: Lock): void => {
  const steps = [
    ...opened.map((file) => () => file.close()),
    // Created by us a moment ago under the lock, hence empty; unless it was taken away meanwhile, and they are somebody
    // else's.
    ...created.map((path) => () => (lock.isHeld() ? disk.remove(path) : undefined)),
    () => lock.release(),
  ];
  for (const step of steps) {
    try {
      step();
    } catch {
      // The failure that led here is the one to report. What could not be undone is an empty file, which counts as
      // nothing.
    }
  }
};

/** Checks that the repository is there, or is not there; answers what lies under the three names. */
export const assertPresence = (
  disk: Disk,
  folder: string,
  paths: readonly string[],
  create: boolean,
): (DiskEntry | undefined)[] => {
  if (!disk.isFolder(folder)) {
    throw noFolder(disk, folder);
  }
  const entries = paths.map((path) => {
    const entry = disk.entry(path);
    // Before it is opened: opening a FIFO waits for ever, and a symbolic link leads out of the folder that we own. It
    // is not `Corrupt`, because no byte of a repository was found wrong: there is none.
    if (entry !== undefined && entry.kind !== 'file') {
      throw new RepoError('StorageFailed', `not a regular file; path=${path}`);
    }
    return entry;
  });
  const [main, , wal] = entries;
  // An empty database without a log is a creation that was interrupted, before anything was promised.
  const hasContent = (main?.size ?? 0) > 0 || (wal?.size ?? 0) > 0;
  // One with a first page may be one, and is looked at when it is open.
  const isFirstPage = (main?.size ?? 0) > 0 && main!.size <= PAGE_SIZE;
  if (create && hasContent && !isFirstPage) {
    throw alreadyThere(paths[0]!);
  }
  if (!create && (main === undefined || !hasContent)) {
    throw new RepoError('RepoNotFound', `there is no repository: the folder has no ${FILE_NAMES[0]}; path=${folder}`);
  }
  return entries;
};

const alreadyThere = (path: string): RepoError =>
  new RepoError(
    'RepoExists',
    `there is a repository already: open it with openRepo, or choose another folder; path=${path}`,
  );

/** What lies under a path; nothing does where the path cannot even be followed. */
const lookAt = (disk: Disk, path: string): DiskEntry | undefined => {
  try {
    return disk.entry(path);
  } catch {
    // A part of the path is a file, or may not be entered. Whoever makes something there hears about it.
    return undefined;
  }
};

/** What stands where the folder of a repository is expected. */
const noFolder = (disk: Disk, path: string): RepoError => {
  const kind = lookAt(disk, path)?.kind;
  const is =
    kind === undefined
      ? 'there is no such folder'
      : kind === 'file'
        ? 'a repository is a folder, and this is a file: a CAR is read with openCar, or imported into a repository'
        : 'a repository is a folder, and this is none';
  return new RepoError('RepoNotFound', `${is}; path=${path}`);
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
      throw new RepoError('Closed', 'the files are closed');
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #letGo(): Promise<void> {
    const errors: unknown[] = [];
    const steps = [
      ...this.#opened.map((file) => () => file.close()),
      () => this.#removeEmpty(JOURNAL_NAME),
      () => this.#removeEmpty(WAL_NAME),
      // Before the lock goes: a journal that comes back after a power cut must not meet a database that went on.
      () => (this.#hasRemoved ? this.#disk.syncFolder(this.#folder) : undefined),
      () => this.#lock.release(),
    ];
    // Each of them, whatever happened to the ones before: a handle or a lock left behind outlives the error.
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

  #removeEmpty(name: string): void {
    const path = this.#disk.join(this.#folder, name);
    // Without the lock it is the log of somebody else, which is about to be written.
    if (this.#lock.isHeld() && this.#disk.entry(path)?.size === 0) {
      this.#hasRemoved = true;
      this.#disk.remove(path);
    }
  }
}
