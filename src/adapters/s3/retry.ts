/** Repeats requests that failed for a reason that passes. */
import { pause } from '../../core/data/pause.ts';
import { isS3Failure } from './failure.ts';

/** Milliseconds before the second attempt. Doubles with each attempt. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;

/** Waits before the next attempt. Half of the time is random, so that clients do not return together. */
export const waitBeforeRetry = (failures: number, signal?: AbortSignal): Promise<void> => {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
  return pause(most / 2 + (most / 2) * Math.random(), signal);
};

/** Runs `attempt` until it succeeds, at most `retries` times more. Repeats it only after a transient failure. */
export const withRetries = async <T>(
  retries: number,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> => {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (failures > retries || !isS3Failure(error) || !error.isTransient) {
        throw error;
      }
    }
    await waitBeforeRetry(failures, signal);
  }
};
