import type { CommitRef } from '../../index.ts';
import { warn } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';

const MINUTE = 60_000;

/** Warns if the rev of a commit is in the future. */
export const warnOfClock = async (context: Context, { rev, clockAhead }: CommitRef): Promise<void> => {
  if (clockAhead !== undefined) {
    await warn(
      context,
      `The rev ${rev} is ${Math.round(clockAhead / MINUTE)} minutes ahead of this computer's clock, so hosts refuse it. ` +
        'Run pdsdb recommit to sign the same records at the present time.',
    );
  }
};
