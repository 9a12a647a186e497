/** The files of a database in a folder, through `node:fs`: for Node and Bun. */
import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { RepoError } from '../../core/errors.ts';
import type { DatabaseFiles, ReadOnlyFiles } from '../../wasm/vfs/database-files.ts';
import { cannotSyncFolder, isNotFound, systemCodeOf } from '../../core/storage/storage-error.ts';
import type { Disk, DiskFile } from './disk.ts';
import { openDiskFiles } from './files-on-disk.ts';
import type { OpenFilesOptions } from './files-on-disk.ts';
import type { Lock, LockOptions } from './lock.ts';
import { acquireLock, lockStateOf } from './lock.ts';
import { idOf, livenessOf, thisProcess } from './node-process.ts';
import { openReadOnlyFiles } from './read-only-files.ts';

/**
 * Opens `pds.db` and its journals in a folder, and takes the folder's lock.
 *
 * Closed again, the folder holds `pds.db` and no journal. After a crash, opening it takes over the lock of the process
 * that is gone; the journals are then SQLite's to recover.
 * @throws {RepoError} `RepoNotFound` when the folder or the database is not there; with `create`, `RepoExists` when it
 *   is; `Locked` when somebody else owns it; `StorageFull`; `StorageFailed`. Nothing stays open or locked then.
 */
export const openNodeFiles = (directory: string, options: OpenFilesOptions = {}): Promise<DatabaseFiles> =>
  openDiskFiles(nodeDisk, directory, options);

/**
 * Opens the same files for reading, without a lock, also where nothing may be written. The database is as it would be
 * after a crash was recovered.
 * @throws {RepoError} `RepoNotFound`; `Locked` while somebody has the folder open to write; `StorageFailed`.
 */
export const openNodeFilesReadOnly = (directory: string, options: LockOptions = {}): Promise<ReadOnlyFiles> =>
  openReadOnlyFiles(nodeDisk, directory, options);

/** Takes the lock of a folder that need not have a database. */
export const lockNodeFolder = (directory: string): Promise<Lock> => acquireLock(nodeDisk, resolve(directory));

/** Whether a folder has a lock file, and whether its owner is dead. */
export const nodeLockState = (directory: string): 'free' | 'held' | 'stale' =>
  lockStateOf(nodeDisk, resolve(directory));

/** Missing on Windows, where there is less need of it. */
const NO_FOLLOW = fs.constants.O_NOFOLLOW ?? 0;

/** How much of a file is overwritten before it is emptied without a sync. Headers of SQLite's journals are shorter. */
const HEADER_SIZE = 512;

/**
 * Whether Node runs with `--permission`, which disables `fsync` and `fdatasync`. Files are then opened with `O_SYNC`:
 * each write is durable when it returns. Nothing syncs a folder there.
 */
const isRestricted = (): boolean => (process as { readonly permission?: unknown }).permission !== undefined;

class NodeFile implements DiskFile {
  /** Whether the file was opened with `O_SYNC`. */
  readonly #writesThrough: boolean;
  #fd: number | undefined;
  #failure: unknown;
  /**
   * Asked for three times by each read of a record. Nobody else changes it, or it is opened again. Not known after a
   * failure.
   */
  #size: number | undefined;

  constructor(path: string, flags: number) {
    this.#writesThrough = isRestricted();
    this.#fd = fs.openSync(path, this.#writesThrough ? flags | fs.constants.O_SYNC : flags, 0o666);
  }

  read(buffer: Uint8Array, { at }: { at: number }): number {
    const fd = this.#open();
    let done = 0;
    while (done < buffer.length) {
      const count = fs.readSync(fd, buffer, done, buffer.length - done, at + done);
      if (count === 0) {
        break;
      }
      done += count;
    }
    return done;
  }

  write(buffer: Uint8Array, { at }: { at: number }): number {
    const fd = this.#sound();
    const size = this.getSize();
    this.#size = undefined;
    let done = 0;
    while (done < buffer.length) {
      const count = fs.writeSync(fd, buffer, done, buffer.length - done, at + done);
      if (count === 0) {
        throw new RepoError('StorageFailed', 'the file took no more bytes');
      }
      done += count;
    }
    this.#size = Math.max(size, at + done);
    return done;
  }

  truncate(size: number): void {
    const fd = this.#sound();
    if (!this.#writesThrough) {
      this.#size = undefined;
      fs.ftruncateSync(fd, size);
      this.#size = size;
      return;
    }
    // A truncation is durable with the next write. Emptied, a journal has none: without its header it counts as empty.
    const last = new Uint8Array(1);
    if (size === 0) {
      this.write(new Uint8Array(Math.min(HEADER_SIZE, this.getSize())), { at: 0 });
    }
    this.#size = undefined;
    fs.ftruncateSync(fd, size);
    this.#size = size;
    if (size > 0) {
      this.read(last, { at: size - 1 });
      this.write(last, { at: size - 1 });
    }
  }

  getSize(): number {
    const fd = this.#open();
    this.#size ??= fs.fstatSync(fd).size;
    return this.#size;
  }

  flush(): void {
    const fd = this.#sound();
    if (this.#writesThrough) {
      return;
    }
    try {
      fs.fdatasyncSync(fd);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  close(): void {
    const fd = this.#fd;
    if (fd !== undefined) {
      // Forgotten first: the system gives the number to the next file that is opened, whatever `close` answers.
      this.#fd = undefined;
      fs.closeSync(fd);
    }
  }

  hasName(): boolean {
    return fs.fstatSync(this.#open()).nlink > 0;
  }

  /** Bun leaves the files of a worker open when it ends. */
  get descriptor(): number | undefined {
    return process.versions.bun === undefined ? this.#fd : undefined;
  }

  #open(): number {
    if (this.#fd === undefined) {
      throw new RepoError('Closed', 'the file is closed');
    }
    return this.#fd;
  }

  /**
   * After a sync has failed, what was written since the last good one may be lost while the next sync says it is safe.
   */
  #sound(): number {
    const fd = this.#open();
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
    return fd;
  }
}

const syncFolder = (path: string): void => {
  try {
    const fd = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if (!cannotSyncFolder(error)) {
      throw error;
    }
  }
};

export const nodeDisk: Disk = {
  resolve,
  realPath(folder) {
    try {
      return fs.realpathSync.native(folder);
    } catch (error) {
      if (systemCodeOf(error) === undefined) {
        throw error;
      }
      // The folder is gone, or a folder above it may not be looked at.
      return undefined;
    }
  },
  join,
  entry(path) {
    // The time as a fraction of milliseconds would round up now and then, and names are made of it.
    const stats = fs.lstatSync(path, { throwIfNoEntry: false, bigint: true });
    if (stats === undefined) {
      return undefined;
    }
    const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
    const id = idOf(stats);
    return {
      kind,
      size: Number(stats.size),
      modifiedMs: Number(stats.mtimeNs / 1_000_000n),
      id,
      version: `${id}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`,
    };
  },
  isFolder: (path) => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  makeFolder(path) {
    // Step by step: Node's `recursive` never ends where the system allows no folder at all, as in `/proc`.
    const isFolder = (folder: string): boolean =>
      fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (isFolder(path)) {
      return;
    }
    const above = dirname(path);
    if (above !== path) {
      nodeDisk.makeFolder(above);
    }
    try {
      fs.mkdirSync(path);
    } catch (error) {
      if (!isFolder(path)) {
        throw error;
      }
      // Somebody was faster.
    }
    // Each new name is the content of the folder above it.
    syncFolder(above);
  },
  syncFolder,
  names: (folder) => fs.readdirSync(folder),
  open: (path) => new NodeFile(path, fs.constants.O_RDWR | fs.constants.O_CREAT | NO_FOLLOW),
  openReading: (path) => new NodeFile(path, fs.constants.O_RDONLY | NO_FOLLOW),
  createLocked: (path) =>
    new NodeFile(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC | fs.constants.O_EXCL),
  readText: (path) => fs.readFileSync(path, 'utf8'),
  rename: (from, to) => fs.renameSync(from, to),
  remove(path) {
    try {
      fs.unlinkSync(path);
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
    }
  },
  self: thisProcess,
  livenessOf: (record) => livenessOf(record),
};
