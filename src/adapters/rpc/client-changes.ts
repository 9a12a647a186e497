/** What the listeners of a page hear: each new head once and in order, whichever server tells of it. */
import { reportingErrors } from '../../core/data/report-error.ts';
import { isRepoError } from '../../core/errors.ts';
import type { HeadChange } from '../../core/repo/repo.ts';
import type { ClientCalls } from './client-calls.ts';

export class ClientChanges {
  readonly #calls: ClientCalls;
  readonly #listeners = new Set<(change: HeadChange) => void>();
  /** The rev up to which the listeners know of everything; `null` from before the first commit. */
  #known: string | null = null;
  /** The rev that the listeners were told of last. */
  #told: string | undefined;

  constructor(calls: ClientCalls) {
    this.#calls = calls;
  }

  add(listener: (change: HeadChange) => void): () => void {
    // The same function may be added twice. Each addition is removed by itself.
    const own = reportingErrors(listener);
    this.#listeners.add(own);
    if (this.#listeners.size === 1) {
      this.#raise(this.#calls.rev);
      void this.#follow(undefined);
    }
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) {
        void this.#follow(undefined);
      }
    };
  }

  /** The server tells of a new head. */
  hear(change: HeadChange): void {
    const { rev, reset } = change;
    // Two servers may tell of the same head while one replaces the other; revs only rise, except in a reset.
    if (this.#told !== undefined && rev <= this.#told && (reset !== true || rev === this.#told)) {
      return;
    }
    this.#told = rev;
    this.#known = reset === true ? rev : this.#known;
    this.#raise(rev);
    this.#listeners.forEach((listener) => listener(change));
  }

  /** Another server serves the calls from now on. Asks it for the DID, and for the heads that were missed. */
  moved(): Promise<unknown> {
    // Not from the newest rev that is known otherwise: a server may have gone while it told what was missed.
    return this.#follow(this.#known);
  }

  #raise(rev: string | undefined): void {
    if (rev !== undefined && (this.#known === null || rev > this.#known)) {
      this.#known = rev;
    }
  }

  /** @param since The head that the listeners know; `undefined` for the one of now. */
  #follow(since: string | null | undefined): Promise<unknown> {
    const isListening = this.#listeners.size > 0;
    const begun = this.#calls.call('begin', [isListening, since]);
    begun.then(
      ({ did, rev }) => {
        // After a reset it may be less than before.
        this.#calls.rev = rev;
        this.#calls.did = did;
        this.#raise(isListening ? rev : undefined);
      },
      (error: unknown) => {
        // `moved` asks the next server, if one went away meanwhile. One that does not reply still has the call, and
        // tells if it resumes. After a close there is nothing to hear. Another error is reported as uncaught.
        if (isListening && !this.#calls.isClosed && !isRepoError(error, 'Locked')) {
          throw error;
        }
      },
    );
    return begun;
  }
}
