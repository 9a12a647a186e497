/**
 * The trees of `checkout` that a client works on. Kept while they are in use, and made again from what they consist of.
 */
import type { CID } from '../../core/data/cid.ts';
import { cidToText } from '../../core/data/cid.ts';
import { RepoError, isRepoError } from '../../core/errors.ts';
import type { Repo, Tree } from '../../core/repo/repo.ts';
import type { Gone, TreeEdit, TreeRef } from './protocol.ts';
import { GONE } from './protocol.ts';
import { createRecentMap } from './recent-map.ts';

/**
 * A tree holds the nodes that it has read, and a chain of edits shares them. A client rarely works on more than one.
 */
const MAX_TREES = 16;

export interface ServerTrees {
  /** The tree of a state, and the head to expect under it. */
  checkout(at: string | CID | undefined): Promise<{ readonly base: CID | undefined; readonly head: CID | undefined }>;
  /** @throws {RepoError} as `Repo.checkout`. */
  find(ref: TreeRef): Promise<Tree | Gone>;
  keep(key: number, tree: Tree): void;
}

export const editTree = (tree: Tree, { collection, rkey, value }: TreeEdit): Promise<Tree> =>
  value === undefined ? tree.delete(collection, rkey) : tree.put(collection, rkey, value);

/** The state that a client knows of. */
const checkOutAgain = async (repo: Repo, base: CID | undefined): Promise<Tree> => {
  try {
    return await repo.checkout(base);
  } catch (error) {
    if (!isRepoError(error, 'RefNotFound')) {
      throw error;
    }
    throw new RepoError(
      'BlockNotFound',
      `the tree's base was removed since it was checked out: check out again; cid=${String(base)}`,
      { cause: error },
    );
  }
};

export const createServerTrees = (repo: Repo): ServerTrees => {
  const trees = createRecentMap<number | string, Tree>(MAX_TREES);
  const keyOf = (base: CID | undefined): string => (base === undefined ? '' : cidToText(base));

  const findBase = async (base: CID | undefined): Promise<Tree> => {
    const known = trees.get(keyOf(base));
    if (known !== undefined) {
      return known;
    }
    if (base === undefined && (await repo.head()) !== undefined) {
      throw new RepoError('InvalidSwap', 'the tree is from before the first commit, which was made meanwhile');
    }
    const tree = await checkOutAgain(repo, base);
    trees.set(keyOf(base), tree);
    return tree;
  };

  return {
    async checkout(at) {
      const tree = await repo.checkout(at);
      trees.set(keyOf(tree.base), tree);
      return { base: tree.base, head: tree.head };
    },
    async find({ base, key, edits }) {
      if (key === undefined) {
        return findBase(base);
      }
      const known = trees.get(key);
      if (known !== undefined) {
        return known;
      }
      if (edits === undefined) {
        return GONE;
      }
      let tree = await findBase(base);
      for (const edit of edits) {
        tree = await editTree(tree, edit);
      }
      trees.set(key, tree);
      return tree;
    },
    keep(key, tree) {
      trees.set(key, tree);
    },
  };
};
