/** Checkpoints a long WAL after the commit that made it long, so that the commit does not wait. */

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
 * By default, SQLite checkpoints inside the commit that makes the WAL 1000 pages long. With that default, one commit in
 * 50 wrote 400 pages and flushed three times. The others write 12 pages and flush once.
 */
export class Checkpointer {
  readonly #database: LoggedDatabase;
  #isDue = false;
  #hasEnded = false;

  constructor(database: LoggedDatabase) {
    this.#database = database;
  }

  /** Checkpoints a long WAL in a later turn of the event loop. */
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

  /** Cancels a scheduled checkpoint. Closing the database makes the last one. */
  end(): void {
    this.#hasEnded = true;
  }
}
