import { Interrupted } from '../terminal/interrupted.ts';
import type { Context } from '../terminal/shell.ts';

/**
 * Runs work that another run continues after Ctrl-C.
 * @param command Returns the command that continues it, when it has been interrupted.
 */
export const resumable = async <T>(context: Context, command: () => string, run: () => Promise<T>): Promise<T> => {
  try {
    return await run();
  } catch (error) {
    if (!context.signal.aborted) {
      throw error;
    }
    throw new Interrupted(`To continue, run: ${command()}`, { cause: error });
  }
};
