/** Repeats calls that are safe to repeat, when the host or the connection failed. */
import pRetry from 'p-retry';
import { isRepoError } from '../../core/errors.ts';
import { pause } from '../../core/data/pause.ts';
import type { XrpcError } from './xrpc-error.ts';

/** Longest wait for the end of a rate limit. A caller that waits longer is told. */
export const MAX_RATE_LIMIT_WAIT = 60_000;

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  /** Most attempts. Default: 4. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second attempt. Doubles with each attempt, with jitter. Default: 500. */
  readonly delayMs?: number | undefined;
}

/** Returns whether the same call may succeed later: no connection, a failure of the host, or a rate limit. */
export const isTransient = (error: unknown): boolean =>
  isRepoError(error, 'HostUnreachable') || isRepoError(error, 'HostFailed') || isRepoError(error, 'RateLimitExceeded');

/** Milliseconds until the rate limit of an error ends. */
const waitOf = (error: unknown): number =>
  isRepoError(error, 'RateLimitExceeded') ? Math.max(0, ((error as XrpcError).resetAt ?? 0) - Date.now()) : 0;

/**
 * Calls a function until it succeeds, at most `attempts` times. Waits longer each time, and until the end of a rate
 * limit if that is at most a minute away. Other errors than those of {@link isTransient} reject at once.
 */
export const withRetries = <T>(call: () => Promise<T>, options: RetryOptions = {}): Promise<T> => {
  const { signal, attempts = 4, delayMs = 500 } = options;
  return pRetry(call, {
    retries: attempts - 1,
    minTimeout: delayMs,
    randomize: true,
    ...(signal === undefined ? {} : { signal }),
    shouldRetry: async ({ error }) => {
      const wait = waitOf(error);
      const mayRetry = isTransient(error) && wait <= MAX_RATE_LIMIT_WAIT;
      if (mayRetry && wait > 0) {
        await pause(wait, signal);
      }
      return mayRetry;
    },
  });
};
