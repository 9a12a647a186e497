/**
 * The port for files: the interface that a platform implements for SQLite.
 *
 * A {@link SyncFile} has the methods of the web's `FileSystemSyncAccessHandle`, so OPFS handles implement it. On other
 * platforms, an adapter does.
 */

/** A synchronous file. Methods throw the platform's own errors. */
export interface SyncFile {
  /** Fills `buffer` and returns the number of bytes read. It is less than the length only at the end of the file. */
  read(buffer: Uint8Array, options: { at: number }): number;
  /** Writes `buffer` and returns the number of bytes written. A gap after the old end reads as zeros. */
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  /** Makes writes durable, for files with `durableOn: 'flush'`. */
  flush(): void;
}

/** The three open files of one database. The lock is acquired before they are returned, and released by `close`. */
export interface DatabaseFiles extends AsyncDisposable {
  readonly main: SyncFile;
  readonly journal: SyncFile;
  readonly wal: SyncFile;
  /** When writes are durable: after `flush` returns, or after `persist` resolves. */
  readonly durableOn: 'flush' | 'persist';
  /**
   * Makes all writes so far durable, atomically. Does nothing for `flush` files. After a rejection, all writes fail
   * until the files are opened again.
   */
  persist(): Promise<void>;
  /** Closes the files, removes an empty journal and releases the lock. A second call does nothing. */
  close(): Promise<void>;
}

/** The files of a database for reading while others may write. No lock is held, and every write throws. */
export interface ReadOnlyFiles extends DatabaseFiles {
  /**
   * Returns whether no other owner has started to write since these files were opened. If it returns `true` after
   * reads, the reads were consistent.
   */
  isCurrent(): boolean;
}
