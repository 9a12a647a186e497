/**
 * The files of a database in a folder, with Deno's own API. It needs `--allow-read` and `--allow-write` for the folder.
 */
import { RepoError } from '../../core/errors.ts';
import type { DatabaseFiles, ReadOnlyFiles } from '../../wasm/vfs/database-files.ts';
import { denoApi, denoPath } from './deno-api.ts';
import type { DenoApi, DenoFile } from './deno-api.ts';
import { cannotSyncFolder, isNotFound, systemCodeOf } from '../../core/storage/storage-error.ts';
import type { Disk, DiskFile } from './disk.ts';
import { openDiskFiles } from './files-on-disk.ts';
import type { OpenFilesOptions } from './files-on-disk.ts';
import type { Lock, LockOptions } from './lock.ts';
import { acquireLock, lockStateOf } from './lock.ts';
import { denoHolder } from './deno-holder.ts';
import { parseLock } from './lock-record.ts';
import { openReadOnlyFiles } from './read-only-files.ts';
import { errorName } from '../../core/data/platform-values.ts';

/**
 * Opens `pds.db` and its journals in a folder, and takes the folder's lock. Takes over the stale lock of a Deno
 * process. Deno cannot check whether a Node or Bun process still runs; the message of `Locked` then says what to do.
 * @throws {RepoError} `RepoNotFound` if the folder or the database is missing; with `create`, `RepoExists` if it is
 *   not; `Locked` if another owner has it; `StorageFull`; `StorageFailed`, also if a permission is missing. Nothing
 *   stays open or locked then.
 */
export const openDenoFiles = async (directory: string, options: OpenFilesOptions = {}): Promise<DatabaseFiles> =>
  openDiskFiles(denoDisk(denoApi()), directory, options);

/**
 * Opens the same files for reading, without a lock, as `openNodeFilesReadOnly` does. `--allow-read` is enough.
 * @throws {RepoError} `RepoNotFound`; `Locked` while a writer has the folder open; `StorageFailed`.
 */
export const openDenoFilesReadOnly = async (directory: string, options: LockOptions = {}): Promise<ReadOnlyFiles> =>
  openReadOnlyFiles(denoDisk(denoApi()), directory, options);

/** Returns the file system, for files that are not those of a repository. */
export const denoFileSystem = (): Disk => denoDisk(denoApi());

/** Takes the lock of a folder, with or without a database. */
export const lockDenoFolder = async (directory: string): Promise<Lock> =>
  acquireLock(denoDisk(denoApi()), denoPath(denoApi(), directory));

/** Returns whether the lock of a folder is free, held, or stale. */
export const denoLockState = (directory: string): 'free' | 'held' | 'stale' =>
  lockStateOf(denoDisk(denoApi()), denoPath(denoApi(), directory));

/** `Deno.SeekMode.Start` */
const FROM_START = 0;

class DenoDiskFile implements DiskFile {
  #file: DenoFile | undefined;
  #failure: unknown;

  constructor(file: DenoFile) {
    this.#file = file;
  }

  read(buffer: Uint8Array, { at }: { at: number }): number {
    const file = this.#open();
    if (buffer.length > 0) {
      file.seekSync(at, FROM_START);
    }
    let done = 0;
    while (done < buffer.length) {
      const count = file.readSync(buffer.subarray(done)) ?? 0;
      if (count === 0) {
        break;
      }
      done += count;
    }
    return done;
  }

  write(buffer: Uint8Array, { at }: { at: number }): number {
    const file = this.#writable();
    if (buffer.length > 0) {
      file.seekSync(at, FROM_START);
    }
    let done = 0;
    while (done < buffer.length) {
      const count = file.writeSync(buffer.subarray(done));
      if (count === 0) {
        throw new RepoError(
          'StorageFailed',
          `the file accepted no more bytes: check the disk, then open the repository again; at=${at + done}`,
        );
      }
      done += count;
    }
    return done;
  }

  truncate(size: number): void {
    this.#writable().truncateSync(size);
  }

  getSize(): number {
    return this.#open().statSync().size;
  }

  flush(): void {
    const file = this.#writable();
    try {
      file.syncDataSync();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }

  hasName(): boolean {
    return this.#open().statSync().nlink !== 0;
  }

  #open(): DenoFile {
    if (this.#file === undefined) {
      throw new RepoError('Closed', 'the file is closed: open the repository again');
    }
    return this.#file;
  }

  /**
   * Throws after a failed sync. Bytes since the last successful sync may be lost, and a later sync would not report it.
   */
  #writable(): DenoFile {
    const file = this.#open();
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
    return file;
  }
}

const undefinedIfNotFound = <T>(run: () => T): T | undefined => {
  try {
    return run();
  } catch (error) {
    if (isNotFound(error)) {
      return undefined;
    }
    throw error;
  }
};

const denoDisk = (deno: DenoApi): Disk => {
  const syncFolder = (path: string): void => {
    try {
      const folder = deno.openSync(path, { read: true });
      try {
        folder.syncSync();
      } finally {
        folder.close();
      }
    } catch (error) {
      if (!cannotSyncFolder(error)) {
        throw error;
      }
    }
  };
  const self = denoHolder(deno);
  const { host } = self;
  let hasFlock = true;
  const exists = (path: string): boolean =>
    undefinedIfNotFound(() => undefinedIfNotCapable(() => deno.statSync(path)) ?? true) !== undefined;

  return {
    resolve: (path) => denoPath(deno, path),
    realPath(folder) {
      try {
        return deno.realPathSync(folder);
      } catch {
        // The folder is missing, or Deno may not know its path.
        return undefined;
      }
    },
    join: (folder, name) => `${folder}/${name}`,
    entry: (path) =>
      undefinedIfNotFound(() => {
        const info = deno.lstatSync(path);
        const kind = info.isFile ? 'file' : info.isDirectory ? 'folder' : 'other';
        const id = info.ino === null ? undefined : `${info.dev}:${info.ino}`;
        const times = `${info.mtime?.getTime()}:${info.ctime?.getTime()}`;
        return {
          kind,
          size: info.size,
          modifiedMs: Math.floor(info.mtime?.getTime() ?? 0),
          id,
          version: `${id}:${info.size}:${times}`,
        };
      }),
    isFolder: (path) => undefinedIfNotFound(() => deno.statSync(path).isDirectory) ?? false,
    makeFolder(path) {
      const missing: string[] = [];
      // A folder that Deno may not read counts as existing; if it does not exist, `mkdir` reports it.
      for (let above = path; !exists(above); above = folderOf(above)) {
        missing.push(above);
      }
      if (missing.length === 0) {
        return;
      }
      deno.mkdirSync(path, { recursive: true });
      for (const made of missing) {
        undefinedIfNotCapable(() => syncFolder(folderOf(made)));
      }
    },
    syncFolder,
    names: (folder) => Array.from(deno.readDirSync(folder), ({ name }) => name),
    open: (path) => new DenoDiskFile(deno.openSync(path, { read: true, write: true, create: true })),
    openReading: (path) => new DenoDiskFile(deno.openSync(path, { read: true })),
    createLocked(path) {
      const file = deno.openSync(path, { read: true, write: true, createNew: true });
      // Before the record is written, so that a reader of the record also sees the flock.
      hasFlock = tryFlock(file, true);
      return new DenoDiskFile(file);
    },
    readText(path) {
      const file = deno.openSync(path, { read: true });
      try {
        return readWhole(file);
      } finally {
        file.close();
      }
    },
    rename: (from, to) => deno.renameSync(from, to),
    remove: (path) => void undefinedIfNotFound(() => deno.removeSync(path)),
    self: () => ({ ...self, flock: hasFlock }),
    livenessOf(holder, path) {
      if (
        holder.runtime !== 'deno' ||
        holder.flock !== true ||
        (host !== undefined && holder.host !== undefined && holder.host !== host)
      ) {
        return 'unknown';
      }
      const file = undefinedIfNotFound(() => deno.openSync(path, { read: true }));
      try {
        // The file may have been released or replaced since its record was read. So the record is read again, from the
        // file whose flock is free. The flock is shared, so that two readers do not take each other for the holder.
        const isFree =
          file !== undefined && tryFlock(file, false) && parseLock(readWhole(file))?.token === holder.token;
        return isFree ? 'gone' : 'alive';
      } finally {
        file?.close();
      }
    },
  };
};

const readWhole = (file: DenoFile): string => {
  const bytes = new Uint8Array(file.statSync().size);
  return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
};

/** Returns the path without its last part, or a path of one part unchanged. */
const folderOf = (path: string): string => path.replace(/[/\\]+[^/\\]+[/\\]*$/, '') || '/';

/**
 * Returns `undefined` if the permission is missing. The folders above a repository may be outside of the permitted
 * ones; they become durable when the system writes them.
 */
const undefinedIfNotCapable = <T>(run: () => T): T | undefined => {
  try {
    return run();
  } catch (error) {
    if (errorName(error) === 'NotCapable') {
      return undefined;
    }
    throw error;
  }
};

/** Takes an flock. Returns `false` if another process has it, or if the file system or this Deno has no flock. */
const tryFlock = (file: DenoFile, exclusive: boolean): boolean => {
  try {
    return file.tryLockSync?.(exclusive) ?? false;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOTSUP' || systemCodeOf(error) === 'ENOSYS' || systemCodeOf(error) === 'EOPNOTSUPP') {
      return false;
    }
    throw error;
  }
};
