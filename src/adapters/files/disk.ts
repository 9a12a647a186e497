/**
 * The calls of a file system that the files of a database and their lock use. All are synchronous, and throw the errors
 * of Node, Bun or Deno, with the system's `code`.
 */
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import type { Liveness, LockHolder, LockRecord } from './lock-record.ts';

/** The entry of a path, without following a symbolic link. */
export interface DiskEntry {
  /** `other`: a symbolic link, a FIFO, a device. */
  readonly kind: 'file' | 'folder' | 'other';
  readonly size: number;
  /** The time of its last change, in whole milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Device and inode number: unique while the file exists. `undefined` if not known. */
  readonly id?: string | undefined;
  /** `id`, size and times as text. It changes with the file, unless two changes have the same time. */
  readonly version?: string | undefined;
}

export interface DiskFile extends SyncFile {
  /** A second call does nothing. Afterwards every other method throws `Closed`. */
  close(): void;
  /** Returns `false` once the file was removed, or another file was renamed over it. */
  hasName(): boolean;
  /**
   * Returns the entry of the open file, also if its path has another file by now. Returns `undefined` if the file has
   * no name, or if the file system does not count names.
   */
  entry?(): DiskEntry | undefined;
  /** The file descriptor, if the runtime closes it at the end of the thread. */
  readonly descriptor?: number | undefined;
}

export interface Disk {
  /** Returns an absolute path, so that a later change of the working directory does not matter. */
  resolve(path: string): string;
  /** Returns the path of a folder without symbolic links, or `undefined` if it cannot be read. */
  realPath(folder: string): string | undefined;
  join(folder: string, name: string): string;
  /** Returns the entry of a path, or `undefined` if it is missing. */
  entry(path: string): DiskEntry | undefined;
  /** Whether the path is a folder, or a symbolic link to one. */
  isFolder(path: string): boolean;
  /** Creates a folder with its parents, durably. Does nothing if it exists. */
  makeFolder(path: string): void;
  /** Makes the creations and removals in a folder durable, as far as the platform can. */
  syncFolder(path: string): void;
  names(folder: string): string[];
  /** Opens a file for reading and writing, and creates it if it is missing. */
  open(path: string): DiskFile;
  /** Opens a file for reading only. */
  openReading(path: string): DiskFile;
  /**
   * Creates a file, or throws `EEXIST`. If the platform has flock, the file has one until it is closed.
   */
  createLocked(path: string): DiskFile;
  readText(path: string): string;
  rename(from: string, to: string): void;
  /** Removes a file. Does nothing if it is missing. */
  remove(path: string): void;
  /** Describes this thread of this process, for a lock file. */
  self(): LockHolder;
  /** Whether the holder of the lock file at `path` still runs. `gone` is final. */
  livenessOf(holder: LockRecord, path: string): Liveness;
}
