import type { CommitRef } from '../../index.ts';
import { warn } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';

const MINUTE = 60_000;

/** Says on standard error that a commit's rev lies in the future, where it does. */
export const warnOfClock = async (context: Context, { rev, clockAhead }: CommitRef): Promise<void> => {
  if (clockAhead !== undefined) {
    await warn(
      context,
      `the rev ${rev} is ${Math.round(clockAhead / MINUTE)} minutes ahead of this computer's clock, and hosts refuse it. ` +
        'Run pdsdb recommit to sign the same records at the present time.',
    );
  }
};
