/** Checks the head's signature and rev. */
import type { CID } from '../../data/cid.ts';
import type { Commit } from '../commit.ts';
import { verifyCommit } from '../commit.ts';
import type { VerifyReport } from '../long-work.ts';
import { MAIN } from '../store-names.ts';
import { aheadOf, timeOf } from '../write/clock-ahead.ts';
import type { Search } from './verify-search.ts';
import { report } from './verify-search.ts';

export const checkSignature = (
  search: Search,
  cid: CID,
  commit: Commit,
  bytes: Uint8Array,
  key: string | undefined,
): VerifyReport['signature'] => {
  if (commit.sig === undefined) {
    if (key !== undefined) {
      report(
        search,
        'InvalidSignature',
        `the commit is not signed: import a signed one, or write with a signer; rev=${commit.rev}`,
        { path: MAIN, cid },
      );
    }
    return 'none';
  }
  if (key === undefined) {
    return 'unchecked';
  }
  if (verifyCommit(bytes, key)) {
    return 'valid';
  }
  report(
    search,
    'InvalidSignature',
    `the commit is not signed by the key: check that the key is the account's; key=${key} rev=${commit.rev}`,
    {
      path: MAIN,
      cid,
    },
  );
  return 'invalid';
};

/** Returns how far the head's rev is in the future, in milliseconds. Hosts refuse such a head. */
export const checkClock = (search: Search, head: CID | undefined, commit: Commit | undefined): number | undefined => {
  const ahead = commit && aheadOf(commit.rev);
  if (ahead !== undefined) {
    const until = new Date(timeOf(commit!.rev)).toISOString();
    const message =
      `the head's rev is ahead of this computer's clock, and hosts refuse it until ${until}: ` +
      `recommit signs the same records at the present time; rev=${commit!.rev}`;
    report(search, 'FutureRev', message, { path: MAIN, cid: head });
  }
  return ahead;
};
