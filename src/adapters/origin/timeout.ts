/** Timeouts and retries for files and locks that another owner is about to release. */

/**
 * The default timeout. A browser releases the files and locks of a closed page after 1 to 4 ms (Chromium, Firefox), and
 * after seconds in reports of users.
 */
export const RELEASE_MS = 2_000;

export interface WaitOptions {
  /** Milliseconds to wait until another owner releases the lock. Default: 2,000. With 0 it tries once. */
  readonly waitMs?: number | undefined;
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/** Runs `attempt` until it returns a value, or returns `undefined` after `waitMs`. Each pause is twice the last one. */
export const retryFor = async <T>(waitMs: number, attempt: () => Promise<T | undefined>): Promise<T | undefined> => {
  const end = performance.now() + waitMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const result = await attempt();
    const left = end - performance.now();
    if (result !== undefined || left <= 0) {
      return result;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
  }
};
