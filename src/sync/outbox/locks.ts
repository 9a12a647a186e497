/** Locks that the tabs of an origin share. Without Web Locks, only the objects of one process share them. */

/** The last holder of each lock of this process. */
const queues = new Map<string, Promise<unknown>>();

const inProcess = async <T>(name: string, run: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  const before = queues.get(name) ?? Promise.resolve();
  const turn = before.then(async () => {
    signal?.throwIfAborted();
    return run();
  });
  const end = turn.catch(() => undefined);
  queues.set(name, end);
  try {
    return await turn;
  } finally {
    if (queues.get(name) === end) {
      queues.delete(name);
    }
  }
};

/** Runs a function while it holds a lock. An abort ends the wait for the lock, and rejects with the signal's reason. */
export const withLock = async <T>(name: string, run: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
  signal?.throwIfAborted();
  const locks = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;
  if (locks === undefined) {
    return inProcess(name, run, signal);
  }
  const held = await locks.request(name, signal === undefined ? {} : { signal }, async () => [await run()] as const);
  return held[0];
};
