/** Runs work one at a time, in the order of the calls. */
export class ChangeQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Starts `work` after all earlier work has ended. Resolves or rejects as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    // The caller of this work gets its error. The next work starts anyway.
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when all work so far has ended. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
