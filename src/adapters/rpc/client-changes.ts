/** What the listeners of a page hear: each new head once and in order, whichever server tells of it. */
import { isRepoError } from '../../core/errors.ts';
import type { HeadChange } from '../../core/repo/repo.ts';
import type { ClientCalls } from './client-calls.ts';

export interface ClientChanges {
  add(listener: (change: HeadChange) => void): () => void;
  /** The server tells of a new head. */
  hear(change: HeadChange): void;
  /** Another server answers from now on, and is asked for the heads that were missed. */
  moved(): void;
}

export const createClientChanges = (calls: ClientCalls): ClientChanges => {
  const listeners = new Set<(change: HeadChange) => void>();
  /** The rev up to which the listeners know of everything; `null` from before the first commit. */
  let known: string | null = null;
  /** The rev that the listeners were told of last. */
  let told: string | undefined;

  const raise = (rev: string | undefined): void => {
    if (rev !== undefined && (known === null || rev > known)) {
      known = rev;
    }
  };

  const subscribe = (since: string | null | undefined): void => {
    calls.call('subscribe', [since], 'lost').then(raise, (error: unknown) => {
      // `moved` asks the next server, if one went away meanwhile. One that does not answer still has the call, and
      // tells if it resumes. After a close there is nothing to hear. Another error is reported as uncaught.
      if (!calls.isClosed && !isRepoError(error, 'OutcomeUnknown') && !isRepoError(error, 'Locked')) {
        throw error;
      }
    });
  };

  return {
    add(listener) {
      // The same function may be added twice. Each addition is removed by itself.
      const own = (change: HeadChange): void => listener(change);
      listeners.add(own);
      if (listeners.size === 1) {
        raise(calls.rev);
        subscribe(undefined);
      }
      return () => {
        if (listeners.delete(own) && listeners.size === 0) {
          calls.tell('unsubscribe', []);
        }
      };
    },
    hear(change) {
      // Two servers may tell of the same head while one replaces the other; revs only rise, except in a reset.
      if (told !== undefined && change.rev <= told && (change.reset !== true || change.rev === told)) {
        return;
      }
      told = change.rev;
      known = change.reset === true ? change.rev : known;
      raise(change.rev);
      for (const listener of listeners) {
        try {
          listener(change);
        } catch (error) {
          // A listener that throws is reported like an event handler that throws.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
    moved() {
      if (listeners.size > 0) {
        // Not from the newest rev that is known otherwise: a server may have gone while it told what was missed.
        subscribe(known);
      }
    },
  };
};
