/** Fuzz targets, and the checks of their results. */
import { isRepoError } from '../../src/core/errors.ts';
import type { Random } from './mutate-bytes.ts';

export type Outcome = 'accepted' | 'refused';

export interface FuzzTarget {
  readonly name: string;
  /** One case. Rejects if it found a fault. */
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

/** Fails the case with the message unless the condition is true. */
export const hold = (condition: boolean, what: string): void => {
  if (!condition) {
    throw new Error(`does not hold: ${what}`);
  }
};
