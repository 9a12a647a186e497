/** Reads the head of a repository and its commit. */
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText } from '../../data/cid.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import { requireBlock } from '../../storage/checked-blocks.ts';
import type { BlockReader } from '../../storage/ports.ts';
import type { Commit } from '../commit.ts';
import { decodeCommitBlock } from '../commit.ts';
import type { ReadParts } from '../open-parts.ts';
import type { Head } from '../repo.ts';
import { MAIN } from '../store-names.ts';

/** @throws {RepoError} `BlockNotFound`, `Corrupt`; `Malformed` when the block is not a commit, or its CID is raw. */
export const readCommit = async (reader: BlockReader, cid: CID): Promise<Commit> =>
  decodeCommitBlock(cid, await requireBlock(reader, cid));

export const headOf = (cid: CID, commit: Commit): Head => ({
  cid,
  rev: commit.rev,
  data: commit.data,
  signed: commit.sig !== undefined,
});

/** The error of a call that needs a commit. */
export const noCommit = (did: string): RepoError =>
  new RepoError('HeadNotFound', `the repository has no commit: write a record first; did=${did}`);

/** Returns the newest commit, or `undefined` before the first commit. */
export const readHead = async (parts: ReadParts): Promise<Head | undefined> => {
  const { heads, store } = parts;
  const cid = await store.ref(MAIN);
  if (cid === undefined || cidEquals(heads.last?.cid, cid)) {
    return cid && heads.last;
  }
  let head: Head;
  try {
    head = headOf(cid, await readCommit(store, cid));
  } catch (error) {
    if (!isRepoError(error, 'BlockNotFound') || cidEquals(await store.ref(MAIN), cid)) {
      throw error;
    }
    // Between the two reads, another owner has replaced the head, and removed it.
    return readHead(parts);
  }
  heads.last = head;
  return head;
};

/** @throws {RepoError} `InvalidSwap` when the head is not the expected one. `undefined` accepts any head. */
export const assertSwapCommit = (head: Head | undefined, expected: CID | null | undefined): void => {
  if (expected !== undefined && !cidEquals(head?.cid, expected ?? undefined)) {
    throw new RepoError(
      'InvalidSwap',
      `Commit was at ${head === undefined ? 'null' : cidToText(head.cid)}: read the head again`,
    );
  }
};
