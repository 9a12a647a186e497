/** The files of a database by their names: made, and their names made durable, when something is first written. */
import { RepoError } from '../../core/errors.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import type { Disk, DiskFile } from './disk.ts';

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
  settle(): void {
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
export class LateFile implements SyncFile {
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
    this.#names.settle();
    return file;
  }
}
