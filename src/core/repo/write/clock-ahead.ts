/**
 * Revs in the future. After a clock was ahead, every later rev must be greater, and hosts refuse such commits until
 * that time.
 */
import type { CommitRef } from '../commits.ts';
import type { Tid } from '../../syntax/tid.ts';
import { isTid, tidToMicroseconds } from '../../syntax/tid.ts';
import { MAX_REV_AHEAD_MS } from './accept.ts';

/** Returns the time of a rev, in milliseconds since 1970. */
export const timeOf = (rev: string): number => (isTid(rev) ? tidToMicroseconds(rev as Tid) / 1000 : 0);

/** Returns how far a rev is in the future, in milliseconds, or `undefined` if hosts accept it. */
export const aheadOf = (rev: string): number | undefined => {
  const ahead = timeOf(rev) - Date.now();
  return ahead > MAX_REV_AHEAD_MS ? Math.round(ahead) : undefined;
};

/** Adds `clockAhead` to a commit whose rev is in the future. */
export const withClock = <T extends CommitRef>(commit: T): T => {
  const clockAhead = aheadOf(commit.rev);
  return clockAhead === undefined ? commit : { ...commit, clockAhead };
};
