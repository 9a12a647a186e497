/** The files of one database under a name for SQLite. */
import type { DatabaseFiles, SyncFile } from './database-files.ts';
import { BufferedFile } from './buffered-file.ts';
import { isHotJournal } from './hot-journal.ts';
import { primaryCode, SQLITE_FULL, SQLITE_OK } from '../c-api/result-codes.ts';

/** The cause of a result code of the VFS, for the error after SQLite returns the code. */
export interface FileFailure {
  readonly code: number;
  readonly cause: unknown;
}

/** Names of platform errors for a full disk or quota. */
const FULL_NAMES: ReadonlySet<unknown> = /* @__PURE__ */ new Set([
  'QuotaExceededError',
  'NS_ERROR_FILE_NO_DEVICE_SPACE',
]);
const FULL_CODES: ReadonlySet<unknown> = /* @__PURE__ */ new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'StorageFull']);

const isFull = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  (FULL_NAMES.has(Reflect.get(error, 'name')) || FULL_CODES.has(Reflect.get(error, 'code')));

export class Mount {
  readonly files: DatabaseFiles;
  readonly name: string;
  /** The three files for SQLite. Writes are buffered until a flush, for files with `durableOn: 'flush'`. */
  readonly main: SyncFile;
  readonly journal: SyncFile;
  readonly wal: SyncFile;
  /** The buffered WAL; `undefined` for files without a WAL. */
  readonly #log: BufferedFile | undefined;
  /** Whether SQLite sees a header in WAL mode: see `header.ts`. */
  showsWal: boolean;
  #failure: FileFailure | undefined;
  #fatal: FileFailure | undefined;

  constructor(name: string, files: DatabaseFiles) {
    this.name = name;
    this.files = files;
    this.showsWal = files.durableOn === 'flush';
    const slot = (file: SyncFile): SyncFile => (files.durableOn === 'flush' ? new BufferedFile(file) : file);
    this.main = slot(files.main);
    this.journal = slot(files.journal);
    this.wal = slot(files.wal);
    this.#log = this.wal instanceof BufferedFile ? this.wal : undefined;
  }

  /** Writes the buffered bytes of all files. */
  writeOut(): void {
    for (const file of [this.main, this.journal, this.wal]) {
      if (file instanceof BufferedFile) {
        file.writeOut();
      }
    }
  }

  /** Bytes written to the WAL since its last restart. */
  get logSize(): number {
    return this.#log?.end ?? 0;
  }

  /** Whether the last transaction could not be rolled back. Also `true` if the journal cannot be read. */
  get isHalfWritten(): boolean {
    try {
      return isHotJournal(this.journal);
    } catch {
      return true;
    }
  }

  /** Marks the start of a transaction in the WAL. */
  markLog(): void {
    this.#log?.mark();
  }

  /** Makes changes of the WAL durable, including its truncation. */
  flushLog(): void {
    this.#log?.flush();
  }

  /** Truncates the frames of the transaction from the WAL. */
  truncateFailedCommit(): void {
    this.#log?.truncateToMark();
  }

  /**
   * Set after a failed flush. The state of the disk is then unknown, and a second flush may wrongly succeed. Nothing is
   * read or written afterwards.
   */
  get fatal(): FileFailure | undefined {
    return this.#fatal;
  }

  /** Records the cause of a failure. Returns the code for SQLite. */
  fail(code: number, cause: unknown): number {
    const failure = { code: isFull(cause) ? SQLITE_FULL : code, cause };
    this.#failure = failure;
    return failure.code;
  }

  /** As {@link fail}, permanently. */
  failForGood(code: number, cause: unknown): number {
    this.#fatal ??= { code, cause };
    return code;
  }

  /** Clears a failure that SQLite handled, so that it is not reported as the cause of a later one. */
  clearFailure(): void {
    this.#failure = undefined;
  }

  /** Returns the failure of the files that caused a code of SQLite, if any. */
  failureOf(code: number): FileFailure | undefined {
    const failure = this.#fatal ?? this.#failure;
    return failure !== undefined && code !== SQLITE_OK && primaryCode(failure.code) === primaryCode(code)
      ? failure
      : undefined;
  }
}
