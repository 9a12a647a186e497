/**
 * The life of something that is opened and closed: what runs is waited for, and what comes after `close` is refused.
 */
import { RepoError } from '../errors.ts';

export class Lifetime {
  readonly #what: string;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** `what` names the thing in the message of `Closed`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** @throws {RepoError} `Closed` once `close` has been called. */
  assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', `the ${this.#what} is closed`);
    }
  }

  /** Runs `work`, which `close` then waits for. Rejects with `Closed` once `close` has been called. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.assertOpen();
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Waits for what runs, then calls `letGo`, once. Every call answers the outcome of the first. */
  close(letGo: () => Promise<void>): Promise<void> {
    this.#closing ??= (async () => {
      // Whoever started the work hears of its failure; here only its end counts.
      await Promise.allSettled(this.#running);
      await letGo();
    })();
    return this.#closing;
  }
}
