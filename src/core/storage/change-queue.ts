/** Work that is done one piece at a time, in the order in which it was asked for. */
export class ChangeQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Starts `work` when everything asked for before has ended; answers, or rejects, as it does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    // Whoever asked for this piece hears of its failure; the next piece starts all the same.
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when everything asked for so far has ended. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
