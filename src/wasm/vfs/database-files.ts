/**
 * The files under SQLite: what a platform gives, and all that it has to give.
 *
 * A {@link SyncFile} has the shape of the web's `FileSystemSyncAccessHandle`, so that in OPFS the handle itself
 * is one. Elsewhere an adapter imitates it.
 */

/** A file that is read and written at once. Methods throw what their platform throws. */
export interface SyncFile {
  /** Reads into the whole of `buffer`; answers how many bytes there were. Fewer only at the end of the file. */
  read(buffer: Uint8Array, options: { at: number }): number;
  /**
   * Writes the whole of `buffer`; past the end, what lies between reads as zeros. Answers how many bytes were taken.
   */
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  /** Durable once this returns, for files that are `durableOn: 'flush'`. */
  flush(): void;
}

/**
 * The three files of one database, open and owned by nobody else: the lock is taken before these are answered and
 * held until `close`.
 */
export interface DatabaseFiles extends AsyncDisposable {
  readonly main: SyncFile;
  readonly journal: SyncFile;
  readonly wal: SyncFile;
  /** When what was written is safe: once `flush` returned, or once `persist` resolved. */
  readonly durableOn: 'flush' | 'persist';
  /**
   * Makes everything written so far durable, all of it or nothing. For `flush` files there is nothing left to do.
   * After a rejection nothing more is taken until the files are opened again.
   */
  persist(): Promise<void>;
  /** Lets go of the files and of the lock, and leaves no empty journal behind. A second call does nothing. */
  close(): Promise<void>;
}

/** The files of a database that is read while others may write to it: no lock is held, and every write throws. */
export interface ReadOnlyFiles extends DatabaseFiles {
  /**
   * Whether nobody has begun to write since these were opened. What was read before is of one state if this returns
   * `true` afterwards.
   */
  isCurrent(): boolean;
}
