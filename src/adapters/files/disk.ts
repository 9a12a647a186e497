/**
 * What the files of a database and their lock need of a file system: the few calls that Node, Bun and Deno have in
 * common, all of them synchronous. Every one throws what its platform throws, with the system's `code` on it.
 */
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import type { Liveness, LockHolder, LockRecord } from './lock-record.ts';

/** What lies under a name, seen without following a symbolic link. */
export interface DiskEntry {
  /** `other`: a symbolic link, a FIFO, a device. */
  readonly kind: 'file' | 'folder' | 'other';
  readonly size: number;
  /** The time of its last change, in whole milliseconds since 1970. */
  readonly modifiedMs: number;
  /** As its file system numbers it: no other file has the same while this one is there. `undefined` if not known. */
  readonly id?: string | undefined;
  /** Its number, size and times as text: another one after a change, as far as the clock of the file system tells. */
  readonly version?: string | undefined;
}

export interface DiskFile extends SyncFile {
  /** A second call does nothing; every other method throws `Closed` afterwards. */
  close(): void;
  /** Whether some name still leads to the file: not once it was removed, or another one was renamed over it. */
  hasName(): boolean;
  /** Its number among the open files of the process, where the runtime closes it at the end of its thread. */
  readonly descriptor?: number | undefined;
}

export interface Disk {
  /** An absolute form of a path, so that a later change of the working directory does not matter. */
  resolve(path: string): string;
  /** The path of a folder behind all symbolic links, or `undefined` where it may not be known. */
  realPath(folder: string): string | undefined;
  join(folder: string, name: string): string;
  /** What lies under a name, or `undefined`. */
  entry(path: string): DiskEntry | undefined;
  /** Whether this is a folder, also through a symbolic link. */
  isFolder(path: string): boolean;
  /** Makes a folder with its parents, durably. One that is there is no error. */
  makeFolder(path: string): void;
  /** Makes the creations and removals in a folder durable, as far as the platform can. */
  syncFolder(path: string): void;
  names(folder: string): string[];
  /** Opens a file for reading and writing, and creates it when it is not there. */
  open(path: string): DiskFile;
  /** Opens a file for reading alone. */
  openReading(path: string): DiskFile;
  /**
   * Creates a file: throws `EEXIST` when there is one. Where the platform has flock, the file carries one until it is
   * closed.
   */
  createLocked(path: string): DiskFile;
  readText(path: string): string;
  rename(from: string, to: string): void;
  /** Removes a file; one that is not there is no error. */
  remove(path: string): void;
  /** This thread of this process, as a lock file is to name it. */
  self(): LockHolder;
  /** Whether the holder of the lock in the file at `path` still lives. Once `gone`, always `gone`. */
  livenessOf(holder: LockRecord, path: string): Liveness;
}
