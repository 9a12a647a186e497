/**
 * One database file in a folder. `LazyFile` creates it on the first write, and makes its name durable. `FencedFile`
 * writes only while this process holds the lock.
 */
import { PAGE_SIZE, SQLITE_MAGIC } from '../../core/storage/layout.ts';
import { RepoError } from '../../core/errors.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { Lock } from './lock.ts';

/**
 * What the files of one folder have in common: whether their names are durable. Without that a power cut may take a
 * file, and all that was synced into it. An opening that only reads has no need of it, which is half of what it would
 * take.
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

  /** Opens a file, or makes it. */
  open(path: string): DiskFile {
    this.#areDurable = false;
    return this.#disk.open(path);
  }

  /**
   * Makes the names durable, also those that were there: who made them may have been killed before. Once it has failed,
   * it fails for good.
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

/** One of the files. As long as it is not there it is as one that is empty. */
export class LazyFile implements SyncFile {
  readonly #path: string;
  readonly #names: FileNames;
  #file: DiskFile | undefined;
  #isClosed = false;

  /** @param atOnce Opens it now, and makes it if it is not there. */
  constructor(names: FileNames, path: string, atOnce: boolean) {
    this.#path = path;
    this.#names = names;
    this.#file = atOnce ? names.open(path) : undefined;
  }

  read(buffer: Uint8Array, options: { at: number }): number {
    return this.#there()?.read(buffer, options) ?? 0;
  }

  write(buffer: Uint8Array, options: { at: number }): number {
    return this.#made().write(buffer, options);
  }

  truncate(size: number): void {
    if (this.#there() !== undefined || size > 0) {
      this.#made().truncate(size);
    }
  }

  getSize(): number {
    return this.#there()?.getSize() ?? 0;
  }

  flush(): void {
    this.#there()?.flush();
  }

  /** A second call does nothing; every other method throws `Closed` afterwards. */
  close(): void {
    this.#isClosed = true;
    this.#file?.close();
  }

  #there(): DiskFile | undefined {
    if (this.#isClosed) {
      throw new RepoError('Closed', 'the file is closed');
    }
    return this.#file;
  }

  #made(): DiskFile {
    const file = this.#there() ?? this.#names.open(this.#path);
    this.#file = file;
    this.#names.makeDurable();
    return file;
  }
}

/**
 * A file that is written only while the lock is held. A process that was stopped, and whose lock was removed meanwhile,
 * does not finish the write that it was about to make. Some microseconds remain between the check and the write.
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
        'the lock was taken away from this process, and nothing more is written: somebody else may have the repository open',
      );
    }
  }
}

/**
 * Returns whether a main file may be the rest of a creation that was cut short: SQLite has begun to write it, and its
 * first page alone holds no table. It may also be a repository whose content is in the WAL: SQLite finds that out, and
 * the schema refuses it.
 */
export const mayBeUnfinished = (main: SyncFile): boolean => {
  const size = main.getSize();
  const start = new Uint8Array(Math.min(size, SQLITE_MAGIC.length));
  main.read(start, { at: 0 });
  return size <= PAGE_SIZE && start.every((byte, i) => byte === SQLITE_MAGIC[i]);
};
