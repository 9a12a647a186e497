/** How long to wait for what another owner is about to let go of. */

/**
 * The files and locks of a page that is gone are let go of a moment later: 1 to 4 ms in Chromium and Firefox, and
 * seconds in reports from the field.
 */
export const RELEASE_MS = 2_000;

export interface WaitOptions {
  /** How long to wait for another owner to let go, in milliseconds. 2,000 when left out; 0 asks once. */
  readonly waitMs?: number | undefined;
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/** Runs `attempt` until it answers something, or the time is over; `undefined` then. Pauses are doubled each time. */
export const retryFor = async <T>(waitMs: number, attempt: () => Promise<T | undefined>): Promise<T | undefined> => {
  const end = performance.now() + waitMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const answer = await attempt();
    const left = end - performance.now();
    if (answer !== undefined || left <= 0) {
      return answer;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
  }
};
