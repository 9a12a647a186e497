/**
 * Locks among tabs: the part of the Web Locks API that is used, and what stands in for it.
 * https://w3c.github.io/web-locks/
 */

/** `navigator.locks` is one. */
export interface Locks {
  /**
   * Calls `held` once the lock is there, or with `null` when it was to be there at once, and holds it until that
   * resolves.
   */
  request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    held: (lock: object | null) => Promise<T>,
  ): Promise<T>;
  /** Tells which locks are held; stands in for some of them without it. */
  query?(): Promise<{ readonly held?: readonly { readonly name?: string }[] }>;
}

/**
 * Whether a lock that somebody else is known to hold is one of these. It is not after the browser has cleared the data
 * of the site: Chromium gives new locks to the workers that start then, and the old ones to the pages that are open.
 * Waiting for such a lock says nothing about its holder.
 */
export const areShared = async (locks: Locks, heldName: string): Promise<boolean> => {
  const held = (await locks.query?.())?.held;
  return held === undefined || held.some(({ name }) => name === heldName);
};

/**
 * Locks among those who have this object: for a browser without Web Locks, where a repository is open in one tab at a
 * time.
 */
export const createLocalLocks = (): Locks => {
  /** The end of the last one in each queue. */
  const queues = new Map<string, Promise<void>>();
  return {
    async request<T>(
      name: string,
      { ifAvailable = false, signal }: { ifAvailable?: boolean; signal?: AbortSignal },
      held: (lock: object | null) => Promise<T>,
    ): Promise<T> {
      const before = queues.get(name);
      if (ifAvailable && before !== undefined) {
        return held(null);
      }
      let release = (): void => {};
      const mine = new Promise<void>((resolve) => (release = resolve));
      const tail = (before ?? Promise.resolve()).then(() => mine);
      queues.set(name, tail);
      try {
        await before;
        signal?.throwIfAborted();
        return await held({});
      } finally {
        release();
        if (queues.get(name) === tail) {
          queues.delete(name);
        }
      }
    },
  };
};

/** The locks that all pages and workers of an origin share; `undefined` in insecure contexts, and in old browsers. */
export const sharedLocks = (): Locks | undefined =>
  (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined;

/** The locks of this worker. */
export const browserLocks = (): Locks => sharedLocks() ?? createLocalLocks();
