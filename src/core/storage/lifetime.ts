/** The lifetime of an object that can be closed. `close` waits for running work; later calls reject with `Closed`. */
import { RepoError } from '../errors.ts';

export class Lifetime {
  readonly #what: string;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** @param what The name of the object in the message of `Closed`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** @throws {RepoError} `Closed` once `close` has been called. */
  assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', `the ${this.#what} is closed: open it again to use it`);
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

  /** Waits for running work, then calls `release` once. Every call returns the promise of the first. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closing ??= (async () => {
      // The caller of the work gets its error; here only its end matters.
      await Promise.allSettled(this.#running);
      await release();
    })();
    return this.#closing;
  }
}
