import { warn } from './print.ts';
import type { Context } from './shell.ts';

/** Warns how many items of a report are counted but not listed. */
export const warnOfMore = async (context: Context, count: number): Promise<void> => {
  if (count > 0) {
    await warn(context, `${count} more ${count === 1 ? 'is' : 'are'} not listed`);
  }
};
