/** Fuzz targets, and how their outcomes are judged. */
import { isRepoError } from '../../src/core/errors.ts';
import type { Random } from './mutate-bytes.ts';

export type Outcome = 'accepted' | 'refused';

export interface FuzzTarget {
  readonly name: string;
  /** One case. Rejects when something happened that must not. */
  run(random: Random): Promise<Outcome>;
}

/** Returns the result, or `undefined` if the call rejected with a code. Throws any other error, which is a bug. */
export const orRefused = async <T>(run: () => Promise<T> | T): Promise<T | undefined> => {
  try {
    return await run();
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return undefined;
  }
};

/** Fails the case, saying what does not hold. */
export const hold = (condition: boolean, what: string): void => {
  if (!condition) {
    throw new Error(`does not hold: ${what}`);
  }
};
