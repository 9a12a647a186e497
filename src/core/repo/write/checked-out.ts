/** Where a tree comes from, and whether the blocks that it shares with that state are still here. */
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
  /** The commit whose tree it was; `undefined` for the tree before the first commit. */
  readonly base: Head | undefined;
  /** The head at that time. */
  readonly head: CID | undefined;
  readonly epoch: number;
}

/** `Repo.checkout`, as far as it reads. */
export const checkOut = async (parts: ReadParts, at: string | CID | undefined): Promise<CheckedOut> => {
  // First: a state that is found later is at least as new as its epoch.
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

const gone = ({ cid, rev }: Head, cause?: unknown): RepoError =>
  new RepoError(
    'BlockNotFound',
    `blocks of the tree's base were removed since it was checked out: check out again; rev=${rev} cid=${cidToText(cid)}`,
    { cause },
  );

/**
 * Reads a commit's tree and records: one that nothing holds, or that was damaged, may have lost any of them.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`.
 */
export const assertWhole = async ({ hashAll, nodes, store }: ReadParts, base: Head): Promise<void> => {
  const records = createCidSet();
  await reachTree(nodes.nodes, base.data, createCidSet(), (_, value: CidBytes) => void records.add(value));
  for (const batch of batchesOf(records)) {
    const blocks = await store.getMany(batch);
    if (blocks.includes(undefined)) {
      throw gone(base);
    }
    assertBlocks(hashAll, batch, blocks);
  }
};

/**
 * To be called inside the change that makes a tree the head. A tree of the head may lack what the head lacks.
 * @throws {RepoError} `BlockNotFound` unless all that the tree shares with its base is here; `Corrupt`.
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
    throw gone(base);
  }
  try {
    await assertWhole(parts, base);
  } catch (error) {
    throw isRepoError(error, 'BlockNotFound') ? gone(base, error) : error;
  }
};
