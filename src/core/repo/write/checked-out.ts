/** The origin of a checked-out tree, and a check that the blocks it shares with that commit are still stored. */
import type { CID, CidBytes } from '../../data/cid.ts';
import { cidEquals, cidToText } from '../../data/cid.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import type { Tid } from '../../syntax/tid.ts';
import { readEpoch } from '../care/epoch.ts';
import { batchesOf, reachTree } from '../care/reach.ts';
import type { ReadParts } from '../open-parts.ts';
import { assertBlocks } from '../../storage/checked-blocks.ts';
import { readHead } from '../read/head.ts';
import { resolveCommit } from '../read/history.ts';
import type { Head } from '../repo.ts';

export interface CheckedOut {
  /** The commit of the tree; `undefined` before the first commit. */
  readonly base: Head | undefined;
  /** The head at that time. */
  readonly head: CID | undefined;
  readonly epoch: number;
}

/** The reading part of `Repo.checkout`. */
export const checkOut = async (parts: ReadParts, at: string | CID | undefined): Promise<CheckedOut> => {
  // Read first, so that the commit is at least as new as the epoch.
  const epoch = await readEpoch(parts.store);
  const head = await readHead(parts);
  return { base: at === undefined ? head : await resolveCommit(parts, at), head: head?.cid, epoch };
};

const isHeld = async ({ store }: ReadParts, { cid, rev }: Head): Promise<boolean> => {
  if (cidEquals(await store.commit(rev as Tid), cid)) {
    return true;
  }
  for await (const [, target] of store.refs()) {
    if (cidEquals(target, cid)) {
      return true;
    }
  }
  return false;
};

const blocksMissing = ({ cid, rev }: Head, cause?: unknown): RepoError =>
  new RepoError(
    'BlockNotFound',
    `blocks of the tree's base were removed since checkout: check out again; rev=${rev} cid=${cidToText(cid)}`,
    { cause },
  );

/**
 * Reads the tree and all records of a commit. Blocks may be missing if no ref keeps it, or after damage.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`.
 */
export const assertWhole = async ({ hashAll, nodes, store }: ReadParts, base: Head): Promise<void> => {
  const records = createCidSet();
  await reachTree(nodes.nodes, base.data, createCidSet(), (_, value: CidBytes) => void records.add(value));
  for (const batch of batchesOf(records)) {
    const blocks = await store.getMany(batch);
    if (blocks.includes(undefined)) {
      throw blocksMissing(base);
    }
    assertBlocks(hashAll, batch, blocks);
  }
};

/**
 * Call it inside the change that makes a tree the head. A tree of the current head is not checked.
 * @throws {RepoError} `BlockNotFound` when blocks of the base are missing; `Corrupt`.
 */
export const assertCheckedOut = async (
  parts: ReadParts,
  { base, epoch }: CheckedOut,
  head: Head | undefined,
): Promise<void> => {
  if (base === undefined || cidEquals(base.cid, head?.cid)) {
    return;
  }
  if (epoch !== (await readEpoch(parts.store)) && !(await isHeld(parts, base))) {
    throw blocksMissing(base);
  }
  try {
    await assertWhole(parts, base);
  } catch (error) {
    throw isRepoError(error, 'BlockNotFound') ? blocksMissing(base, error) : error;
  }
};
