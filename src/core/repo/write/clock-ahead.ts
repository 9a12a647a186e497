/**
 * Revs that lie in the future. Once a clock was ahead, every later rev has to be as well, and no host takes such a
 * commit before its time.
 */
import type { CommitRef } from '../commits.ts';
import type { Tid } from '../../syntax/tid.ts';
import { isTid, tidToMicroseconds } from '../../syntax/tid.ts';
import { MAX_REV_AHEAD_MS } from './accept.ts';

/** The time of a rev, in milliseconds since 1970. */
export const timeOf = (rev: string): number => (isTid(rev) ? tidToMicroseconds(rev as Tid) / 1000 : 0);

/** How far a rev lies in the future, in milliseconds; `undefined` where hosts take it all the same. */
export const aheadOf = (rev: string): number | undefined => {
  const ahead = timeOf(rev) - Date.now();
  return ahead > MAX_REV_AHEAD_MS ? Math.round(ahead) : undefined;
};

/** A commit with `clockAhead` where its rev lies in the future. */
export const withClock = <T extends CommitRef>(commit: T): T => {
  const clockAhead = aheadOf(commit.rev);
  return clockAhead === undefined ? commit : { ...commit, clockAhead };
};
