/** The files of a database in a folder, with `node:fs`, for Node and Bun. */
import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { RepoError } from '../../core/errors.ts';
import type { DatabaseFiles, ReadOnlyFiles } from '../../wasm/vfs/database-files.ts';
import { cannotSyncFolder, isNotFound, systemCodeOf } from '../../core/storage/storage-error.ts';
import type { Disk, DiskEntry, DiskFile } from './disk.ts';
import { openDiskFiles } from './files-on-disk.ts';
import type { OpenFilesOptions } from './files-on-disk.ts';
import type { Lock, LockOptions } from './lock.ts';
import { acquireLock, lockStateOf } from './lock.ts';
import { idOf, livenessOf, thisProcess } from './node-process.ts';
import { openReadOnlyFiles } from './read-only-files.ts';

/**
 * Opens `pds.db` and its journals in a folder, and takes the folder's lock. Takes over a stale lock. `close` leaves
 * `pds.db` without journals.
 * @throws {RepoError} `RepoNotFound` if the folder or the database is missing; with `create`, `RepoExists` if it is
 *   not; `Locked` if another owner has it; `StorageFull`; `StorageFailed`. Nothing stays open or locked then.
 */
export const openNodeFiles = (directory: string, options: OpenFilesOptions = {}): Promise<DatabaseFiles> =>
  openDiskFiles(nodeDisk, directory, options);

/**
 * Opens the same files for reading, without a lock. The folder may be read-only. Journals of a crash are applied in
 * memory.
 * @throws {RepoError} `RepoNotFound`; `Locked` while a writer has the folder open; `StorageFailed`.
 */
export const openNodeFilesReadOnly = (directory: string, options: LockOptions = {}): Promise<ReadOnlyFiles> =>
  openReadOnlyFiles(nodeDisk, directory, options);

/** Takes the lock of a folder, with or without a database. */
export const lockNodeFolder = (directory: string): Promise<Lock> => acquireLock(nodeDisk, resolve(directory));

/** Returns whether the lock of a folder is free, held, or stale. */
export const nodeLockState = (directory: string): 'free' | 'held' | 'stale' =>
  lockStateOf(nodeDisk, resolve(directory));

/** Missing on Windows. */
const NO_FOLLOW = fs.constants.O_NOFOLLOW ?? 0;

/** Bytes that are overwritten before a file is truncated without a sync. Headers of SQLite's journals are shorter. */
const HEADER_SIZE = 512;

/**
 * Whether Node runs with `--permission`, which disables `fsync` and `fdatasync`. Files are then opened with `O_SYNC`,
 * so each write is durable when it returns. Folders cannot be synced there.
 */
const isRestricted = (): boolean => (process as { readonly permission?: unknown }).permission !== undefined;

const entryOf = (stats: fs.BigIntStats): DiskEntry => {
  const id = idOf(stats);
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other',
    size: Number(stats.size),
    modifiedMs: Number(stats.mtimeNs / 1_000_000n),
    id,
    version: `${id}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`,
  };
};

class NodeFile implements DiskFile {
  /** Whether the file was opened with `O_SYNC`. */
  readonly #writesThrough: boolean;
  #fd: number | undefined;
  #failure: unknown;
  /**
   * Cached, because each read of a record needs it three times. No other process changes the file while it is locked.
   * `undefined` after a failed write.
   */
  #size: number | undefined;

  /** @param size The size, if it is known. */
  constructor(path: string, flags: number, size?: number) {
    this.#size = size;
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
    const fd = this.#writable();
    const size = this.getSize();
    this.#size = undefined;
    let done = 0;
    while (done < buffer.length) {
      const count = fs.writeSync(fd, buffer, done, buffer.length - done, at + done);
      if (count === 0) {
        throw new RepoError(
          'StorageFailed',
          `the file accepted no more bytes: check the disk, then open the repository again; at=${at + done}`,
        );
      }
      done += count;
    }
    this.#size = Math.max(size, at + done);
    return done;
  }

  truncate(size: number): void {
    const fd = this.#writable();
    if (!this.#writesThrough) {
      this.#size = undefined;
      fs.ftruncateSync(fd, size);
      this.#size = size;
      return;
    }
    // The next write makes a truncation durable. An emptied journal has no next write, so its header is overwritten: a
    // journal without a header counts as empty.
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
    const fd = this.#writable();
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
      // Cleared first: even if `close` fails, the system gives the number to the next opened file.
      this.#fd = undefined;
      fs.closeSync(fd);
    }
  }

  hasName(): boolean {
    return fs.fstatSync(this.#open()).nlink > 0;
  }

  entry(): DiskEntry | undefined {
    const stats = fs.fstatSync(this.#open(), { bigint: true });
    return stats.nlink > 0n ? entryOf(stats) : undefined;
  }

  /** `undefined` in Bun, which does not close the files of a worker that ends. */
  get descriptor(): number | undefined {
    return process.versions.bun === undefined ? this.#fd : undefined;
  }

  #open(): number {
    if (this.#fd === undefined) {
      throw new RepoError('Closed', 'the file is closed: open the repository again');
    }
    return this.#fd;
  }

  /**
   * Throws after a failed sync. Bytes since the last successful sync may be lost, and a later sync would not report it.
   */
  #writable(): number {
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
      // The folder is missing, or the permission for a folder above it is.
      return undefined;
    }
  },
  join,
  entry(path) {
    // As `bigint`, because names of lock files contain the time, and a fraction of a millisecond sometimes rounds up.
    const stats = fs.lstatSync(path, { throwIfNoEntry: false, bigint: true });
    return stats && entryOf(stats);
  },
  isFolder: (path) => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  makeFolder(path) {
    // Step by step, because Node's `recursive` never ends where no folder can be created, as in `/proc`.
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
      // Another process was faster.
    }
    // The new name is stored in the folder above it.
    syncFolder(above);
  },
  syncFolder,
  names: (folder) => fs.readdirSync(folder),
  open: (path) => new NodeFile(path, fs.constants.O_RDWR | fs.constants.O_CREAT | NO_FOLLOW),
  openReading: (path) => new NodeFile(path, fs.constants.O_RDONLY | NO_FOLLOW),
  createLocked: (path) =>
    new NodeFile(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC | fs.constants.O_EXCL, 0),
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
