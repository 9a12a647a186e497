/** Checks whether an imported commit may become the head. */
import type { Commit } from '../commit.ts';
import { verifyCommit } from '../commit.ts';
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import { decodeRootCommit } from '../root-commit.ts';
import type { VerifySignature } from '../../crypto/keys.ts';
import type { ImportOptions } from '../long-work.ts';
import type { Head } from '../repo.ts';
import { assertDid } from '../../syntax/identifiers.ts';
import { tidToMicroseconds, ZERO_TID } from '../../syntax/tid.ts';

/**
 * How far a rev may be in the future, in milliseconds; hosts allow the same. A rev further ahead would force all later
 * local revs into the future. https://atproto.com/specs/sync
 */
export const MAX_REV_AHEAD_MS: number = 5 * 60 * 1000;

const assertDids = (commit: Commit, did: string, expected: string | undefined): void => {
  if (expected !== undefined) {
    assertDid(expected);
  }
  const wrong = [did, expected].find((wanted) => wanted !== undefined && wanted !== commit.did);
  if (wrong !== undefined) {
    throw new RepoError(
      'WrongDid',
      `the commit is of another account: use the CAR of this account; expected=${wrong} found=${commit.did}`,
    );
  }
};

/** Both commits are of version 2 without a rev. Their order is unknown, so the one that comes later follows. */
const areWithoutRev = (commit: Commit, head: Head): boolean => commit.rev === ZERO_TID && head.rev === ZERO_TID;

const assertRev = (
  cid: CID,
  commit: Commit,
  head: Head | undefined,
  { onFork, rollback }: Pick<ImportOptions, 'onFork' | 'rollback'>,
  nowMs: number,
): void => {
  if (tidToMicroseconds(commit.rev) > (nowMs + MAX_REV_AHEAD_MS) * 1000) {
    throw new RepoError(
      'FutureRev',
      `the commit's rev is more than five minutes ahead of the clock: check the clock, or import later; rev=${commit.rev}`,
    );
  }
  if (head === undefined || cidEquals(head.cid, cid) || areWithoutRev(commit, head)) {
    return;
  }
  if (commit.rev === head.rev && onFork !== 'keep') {
    throw new RepoError(
      'OutdatedRev',
      "the commit is a fork: it has the head's rev and other content. To make it the head, import with `onFork: 'keep'`; " +
        `rev=${commit.rev} head=${cidToText(head.cid)} found=${cidToText(cid)}`,
    );
  }
  if (commit.rev < head.rev && rollback !== true) {
    throw new RepoError(
      'OutdatedRev',
      'the commit is older than the head. To go back to it, import with `rollback: true`. If the head is local work, ' +
        `\`reset\` to the commit before it and import again; head=${head.rev} found=${commit.rev}`,
    );
  }
};

/** Options of an import, with the key as a `did:key`. */
export type AcceptOptions = Omit<ImportOptions, 'key'> & { readonly key?: string | undefined };

const assertSigned = (
  commit: Commit,
  bytes: Uint8Array,
  { key, allowUnsigned }: AcceptOptions,
  verify: VerifySignature,
): void => {
  if (commit.sig === undefined) {
    if (key !== undefined || allowUnsigned !== true) {
      throw new RepoError(
        'InvalidSignature',
        `the commit is not signed: pass \`allowUnsigned\`, without a key, to accept it; rev=${commit.rev}`,
      );
    }
  } else if (key !== undefined && !verifyCommit(bytes, key, verify)) {
    throw new RepoError(
      'InvalidSignature',
      `the commit is not signed by the given key: pass the key that the account had then; key=${key} rev=${commit.rev}`,
    );
  }
};

/**
 * Decodes the commit in a block, if it may follow `head`.
 * @throws {RepoError} `Malformed`, `WrongDid`, `InvalidSignature`, `OutdatedRev`, `FutureRev`, `UnknownKey`.
 */
export const acceptCommit = (
  did: string,
  cid: CID,
  bytes: Uint8Array,
  head: Head | undefined,
  options: AcceptOptions,
  verify: VerifySignature,
  nowMs: number = Date.now(),
): Commit => {
  const commit = decodeRootCommit(cid, bytes);
  assertDids(commit, did, options.did);
  assertSigned(commit, bytes, options, verify);
  assertRev(cid, commit, head, options, nowMs);
  return commit;
};
