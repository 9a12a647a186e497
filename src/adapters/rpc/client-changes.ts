/** What the listeners of a page hear: each new head once and in order, whoever tells of it. */
import { isRepoError } from '../../core/errors.ts';
import type { HeadChange } from '../../core/repo/repo.ts';

/** What a client can say about new heads. */
export interface ChangeServer {
  /** See `ServerMethods.subscribe`. */
  subscribe(known: string | null | undefined): Promise<string | undefined>;
  unsubscribe(): void;
  /** The newest rev that the page has heard of, by whatever way. */
  rev(): string | undefined;
  isClosed(): boolean;
}

export interface ClientChanges {
  add(listener: (change: HeadChange) => void): () => void;
  /** The server tells of a new head. */
  hear(change: HeadChange): void;
  /** Somebody else answers from now on, and is asked for what was missed. */
  moved(): void;
}

/** The listeners of a page. */
interface ChangeListeners {
  readonly size: number;
  add(listener: (change: HeadChange) => void): () => void;
  emit(change: HeadChange): void;
}

/**
 * @param onFirst Called when the first listener is added.
 * @param onNone Called when the last listener is removed.
 */
const createChangeListeners = (onFirst: () => void, onNone: () => void): ChangeListeners => {
  const listeners = new Set<(change: HeadChange) => void>();
  return {
    get size() {
      return listeners.size;
    },
    add(listener) {
      // The same function may be added twice. Each addition is removed by itself.
      const own = (change: HeadChange): void => listener(change);
      listeners.add(own);
      if (listeners.size === 1) {
        onFirst();
      }
      return () => {
        if (listeners.delete(own) && listeners.size === 0) {
          onNone();
        }
      };
    },
    emit(change) {
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
  };
};

export const createClientChanges = (server: ChangeServer): ClientChanges => {
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
    server.subscribe(since).then(raise, (error: unknown) => {
      // A server that went away meanwhile: the next one is asked by `moved`. One that does not answer has the question
      // still, and tells if it goes on. After a close there is nothing to hear. All else is for whoever watches for
      // uncaught errors.
      if (!server.isClosed() && !isRepoError(error, 'OutcomeUnknown') && !isRepoError(error, 'Locked')) {
        throw error;
      }
    });
  };

  const listeners = createChangeListeners(
    () => {
      raise(server.rev());
      subscribe(undefined);
    },
    () => server.unsubscribe(),
  );

  return {
    add: listeners.add,
    hear(change) {
      // Two servers may tell of the same head while one takes the other's place; revs only rise,
      // except in a reset.
      const isNew = told === undefined || change.rev > told || (change.reset === true && change.rev !== told);
      if (isNew) {
        told = change.rev;
        known = change.reset === true ? change.rev : known;
        raise(change.rev);
        listeners.emit(change);
      }
    },
    moved() {
      if (listeners.size > 0) {
        // Not from the newest rev that is known otherwise: a server may have gone in the middle of telling what was
        // missed.
        subscribe(known);
      }
    },
  };
};
