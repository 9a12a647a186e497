/** The files of one database, under the name by which SQLite knows them. */
import type { DatabaseFiles, SyncFile } from './database-files.ts';
import { BufferedFile } from './buffered-file.ts';
import { isHotJournal } from './hot-journal.ts';
import { primaryCode, SQLITE_FULL, SQLITE_OK } from '../c-api/result-codes.ts';

/** Why the file layer answered a code, for the error that SQLite makes of it. */
export interface FileFailure {
  readonly code: number;
  readonly cause: unknown;
}

/** What platforms say when there is no more room. */
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
  /** The three files as SQLite writes them: held back until a flush, where there is one. */
  readonly main: SyncFile;
  readonly journal: SyncFile;
  readonly wal: SyncFile;
  /** The log as a file that can be taken back; `undefined` where nothing is written ahead. */
  readonly #log: BufferedFile | undefined;
  /** The database is shown to SQLite as one that is logged, whatever its file says: see `header.ts`. */
  showsLogged: boolean;
  #failure: FileFailure | undefined;
  #fatal: FileFailure | undefined;

  constructor(name: string, files: DatabaseFiles) {
    this.name = name;
    this.files = files;
    this.showsLogged = files.durableOn === 'flush';
    const slot = (file: SyncFile): SyncFile => (files.durableOn === 'flush' ? new BufferedFile(file) : file);
    this.main = slot(files.main);
    this.journal = slot(files.journal);
    this.wal = slot(files.wal);
    this.#log = this.wal instanceof BufferedFile ? this.wal : undefined;
  }

  /** Lets out what is held back of any file. */
  send(): void {
    for (const file of [this.main, this.journal, this.wal]) {
      if (file instanceof BufferedFile) {
        file.send();
      }
    }
  }

  /** Bytes of the log that have been written since it last began anew. */
  get logSize(): number {
    return this.#log?.end ?? 0;
  }

  /** Whether the last transaction could not be undone. Nothing is read either where that cannot be told. */
  get isHalfWritten(): boolean {
    try {
      return isHotJournal(this.journal);
    } catch {
      return true;
    }
  }

  /** A transaction begins. */
  markLog(): void {
    this.#log?.mark();
  }

  /** Makes durable what was done to the log, that it was emptied among it. */
  flushLog(): void {
    this.#log?.flush();
  }

  /** Cuts off what the transaction has written to the log. */
  takeBackLog(): void {
    this.#log?.takeBack();
  }

  /**
   * Set once a flush failed: what reached the disk is unknown from then on, and asking again may be answered with a
   * success that is none. Nothing is read or written after it.
   */
  get fatal(): FileFailure | undefined {
    return this.#fatal;
  }

  /** Keeps why something failed; answers the code for SQLite. */
  fail(code: number, cause: unknown): number {
    const failure = { code: isFull(cause) ? SQLITE_FULL : code, cause };
    this.#failure = failure;
    return failure.code;
  }

  /** As {@link fail}, for good. */
  failForGood(code: number, cause: unknown): number {
    this.#fatal ??= { code, cause };
    return code;
  }

  /** Forgets a failure that SQLite got over, so that it is not taken for the cause of a later one. */
  forget(): void {
    this.#failure = undefined;
  }

  /** What lies behind the code that SQLite answered, if it came from the files. */
  behind(code: number): FileFailure | undefined {
    const failure = this.#fatal ?? this.#failure;
    return failure !== undefined && code !== SQLITE_OK && primaryCode(failure.code) === primaryCode(code)
      ? failure
      : undefined;
  }
}
