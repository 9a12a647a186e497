/** Folding a long write-ahead log into the database when nobody waits for it. */

/** What it needs of a database. */
export interface LoggedDatabase {
  /** Whether it is time for `fold`. */
  readonly isLogLong: boolean;
  /**
   * Moves what was committed from the log to its place; does nothing in a transaction, and what fails is told to
   * whoever comes next.
   */
  fold(): void;
}

/**
 * SQLite would fold the log in at the end of the commit that makes it a thousand pages long: one in fifty wrote four
 * hundred pages and flushed three times, where the others write a dozen and flush once.
 */
export class LogFolding {
  readonly #database: LoggedDatabase;
  #isDue = false;
  #hasEnded = false;

  constructor(database: LoggedDatabase) {
    this.#database = database;
  }

  /** Folds a long log in when this turn is over, so that the change that made it long is acknowledged before. */
  soon(): void {
    if (this.#isDue || !this.#database.isLogLong) {
      return;
    }
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      if (!this.#hasEnded) {
        this.#database.fold();
      }
    });
  }

  /** From now on it is left to who closes the database. */
  end(): void {
    this.#hasEnded = true;
  }
}
