/** Ends a request that makes no progress, or whose caller has aborted it. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort(this.#caller?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLate = false;

  constructor(timeoutMs: number, caller: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs;
    this.#caller = caller;
    if (caller?.aborted === true) {
      this.#onAbort();
    } else {
      caller?.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time of a step has passed. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** Gives a step of the request its time. The time between two steps is the caller's, and does not count. */
  async step<T>(work: Promise<T>): Promise<T> {
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#controller.abort(new Error('no response in time'));
    }, this.#timeoutMs);
    try {
      return await work;
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** Ends the request if it is running, and stops listening to the caller's signal. */
  end(): void {
    this.#caller?.removeEventListener('abort', this.#onAbort);
    this.#controller.abort(new Error('the request has ended'));
  }
}
