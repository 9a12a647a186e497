/** Runs work one at a time, in the order in which it was asked for. */
export class ChangeQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Starts `work` when everything asked for before has ended; settles as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    // The caller of this work learns of its failure; the next work starts all the same.
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when everything asked for so far has ended. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
