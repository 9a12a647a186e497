/** Checkpoints a long WAL when nobody waits for it. */

/** What it needs of a database. */
export interface LoggedDatabase {
  /** Whether the WAL is long enough for {@link checkpoint}. */
  readonly isLogLong: boolean;
  /**
   * Copies committed pages from the WAL to the main file. Does nothing in a transaction. Throws no storage error: the
   * next operation reports it.
   */
  checkpoint(): void;
}

/**
 * SQLite by itself checkpoints at the end of the commit that makes the WAL a thousand pages long. One commit in fifty
 * wrote four hundred pages and flushed three times; the others write a dozen and flush once.
 */
export class Checkpointer {
  readonly #database: LoggedDatabase;
  #isDue = false;
  #hasEnded = false;

  constructor(database: LoggedDatabase) {
    this.#database = database;
  }

  /** Checkpoints a long WAL after this turn, so that the change that made it long is acknowledged first. */
  soon(): void {
    if (this.#isDue || !this.#database.isLogLong) {
      return;
    }
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      if (!this.#hasEnded) {
        this.#database.checkpoint();
      }
    });
  }

  /** No checkpoint from now on. Closing the database makes the last one. */
  end(): void {
    this.#hasEnded = true;
  }
}
