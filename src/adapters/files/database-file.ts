/**
 * A database file in a folder. `LazyFile` creates it at the first write and makes its name durable. `FencedFile` writes
 * only while this process holds the lock.
 */
import { PAGE_SIZE, SQLITE_MAGIC } from '../../core/storage/layout.ts';
import { RepoError } from '../../core/errors.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { Lock } from './lock.ts';

/**
 * Tracks whether the names of the files in a folder are durable. If a name is not, a power cut may lose a file with all
 * synced bytes. Opening without a write skips this sync, which is half of the time of opening.
 */
export class FileNames {
  readonly #disk: Disk;
  readonly #folder: string;
  #areDurable = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  /** Opens a file, or creates it. */
  open(path: string): DiskFile {
    this.#areDurable = false;
    return this.#disk.open(path);
  }

  /**
   * Makes the names durable, also of files that existed: their creator may have been killed before it did so. After a
   * failure, every call fails.
   */
  makeDurable(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
    if (this.#areDurable) {
      return;
    }
    try {
      this.#disk.syncFolder(this.#folder);
      this.#areDurable = true;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}

/** A file that is created at the first write. Before that, it reads as empty. */
export class LazyFile implements SyncFile {
  readonly #path: string;
  readonly #names: FileNames;
  #file: DiskFile | undefined;
  #isClosed = false;

  /** @param atOnce Opens the file now, or creates it. */
  constructor(names: FileNames, path: string, atOnce: boolean) {
    this.#path = path;
    this.#names = names;
    this.#file = atOnce ? names.open(path) : undefined;
  }

  /** Whether the file existed when it was opened, or was created since. Also after `close`. */
  get exists(): boolean {
    return this.#file !== undefined;
  }

  read(buffer: Uint8Array, options: { at: number }): number {
    return this.#opened()?.read(buffer, options) ?? 0;
  }

  write(buffer: Uint8Array, options: { at: number }): number {
    return this.#create().write(buffer, options);
  }

  truncate(size: number): void {
    if (this.#opened() !== undefined || size > 0) {
      this.#create().truncate(size);
    }
  }

  getSize(): number {
    return this.#opened()?.getSize() ?? 0;
  }

  flush(): void {
    this.#opened()?.flush();
  }

  /** A second call does nothing. Afterwards every other method throws `Closed`. */
  close(): void {
    this.#isClosed = true;
    this.#file?.close();
  }

  #opened(): DiskFile | undefined {
    if (this.#isClosed) {
      throw new RepoError('Closed', `the file is closed: open the repository again; path=${this.#path}`);
    }
    return this.#file;
  }

  #create(): DiskFile {
    const file = this.#opened() ?? this.#names.open(this.#path);
    this.#file = file;
    this.#names.makeDurable();
    return file;
  }
}

/**
 * A file that is written only while the lock is held. If a process is stopped, and its lock is removed meanwhile, it
 * writes nothing when it continues. A few microseconds remain between the check and the write.
 */
export class FencedFile implements SyncFile {
  readonly #file: SyncFile;
  readonly #lock: Pick<Lock, 'isHeld'>;

  constructor(file: SyncFile, lock: Pick<Lock, 'isHeld'>) {
    this.#file = file;
    this.#lock = lock;
  }

  read(buffer: Uint8Array, options: { at: number }): number {
    return this.#file.read(buffer, options);
  }

  write(buffer: Uint8Array, options: { at: number }): number {
    this.#assertHeld();
    return this.#file.write(buffer, options);
  }

  truncate(size: number): void {
    this.#assertHeld();
    this.#file.truncate(size);
  }

  getSize(): number {
    return this.#file.getSize();
  }

  flush(): void {
    this.#assertHeld();
    this.#file.flush();
  }

  #assertHeld(): void {
    if (!this.#lock.isHeld()) {
      throw new RepoError(
        'Locked',
        'this process has lost the lock of the repository, and another may have it open: nothing is written. Close the repository and open it again',
      );
    }
  }
}

/**
 * Returns whether a main file may come from an interrupted creation: it has at most one page, which has no table. It
 * may also be a repository whose content is in the WAL. The check of the schema finds that and refuses it.
 */
export const mayBeUnfinished = (main: SyncFile): boolean => {
  const size = main.getSize();
  const start = new Uint8Array(Math.min(size, SQLITE_MAGIC.length));
  main.read(start, { at: 0 });
  return size <= PAGE_SIZE && start.every((byte, i) => byte === SQLITE_MAGIC[i]);
};
