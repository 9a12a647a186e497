/**
 * Locks among tabs: the part of the Web Locks API that is used, and what stands in for it.
 * https://w3c.github.io/web-locks/
 */

/** `navigator.locks` is one. */
export interface Locks {
  /**
   * Calls `held` with the lock and holds it until that resolves. With `ifAvailable`, calls it at once, with `null` if
   * the lock is held.
   */
  request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    held: (lock: object | null) => Promise<T>,
  ): Promise<T>;
  /** Returns the locks that are held. The substitute for Web Locks lacks it. */
  query?(): Promise<{ readonly held?: readonly { readonly name?: string }[] }>;
}

/**
 * Waits until the holder of a lock has ended. Resolves to `false` when these locks cannot tell, or `signal` aborts.
 * They cannot tell after the browser has cleared the data of the site: Chromium gives new locks to the workers that
 * start then, and the old ones to the pages that are open.
 */
export const isReleased = async (locks: Locks, heldName: string, signal: AbortSignal): Promise<boolean> => {
  const held = (await locks.query?.())?.held;
  if (held !== undefined && !held.some(({ name }) => name === heldName)) {
    return false;
  }
  try {
    return await locks.request(heldName, { signal }, async () => !signal.aborted);
  } catch (error) {
    if (signal.aborted) {
      return false;
    }
    throw error;
  }
};

/**
 * Locks among the users of this object: for a browser without Web Locks, where a repository is open in one tab at a
 * time.
 */
export const createLocalLocks = (): Locks => {
  /** The end of each queue. */
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
