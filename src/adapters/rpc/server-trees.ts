/**
 * The trees of `checkout` that a client works on. Kept while they are in use, and made again from what they consist of.
 */
import type { CID } from '../../core/data/cid.ts';
import { cidToText } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
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
    const tree = await repo.checkout(base);
    trees.set(keyOf(base), tree);
    return tree;
  };

  /** The CID that a name stands for now: a ref may stand for another one later. What is no ref stands for itself. */
  const resolve = async (at: string | CID): Promise<string | CID> =>
    typeof at === 'string' ? ((await repo.refs()).get(at) ?? at) : at;

  return {
    async checkout(at) {
      const head = (await repo.head())?.cid;
      if (at === undefined) {
        await findBase(head);
        return { base: head, head };
      }
      const state = await resolve(at);
      const tree = await repo.checkout(state);
      const base = typeof state === 'string' ? await commitNamed(repo, state) : state;
      trees.set(keyOf(base), tree);
      return { base, head };
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

/** The commit of a rev, or of a CID in text, that `checkout` has found. */
const commitNamed = async (repo: Repo, name: string): Promise<CID> => {
  for await (const { cid, rev } of repo.log()) {
    if (rev === name || cidToText(cid) === name) {
      return cid;
    }
  }
  throw new RepoError('RefNotFound', `the commit is not in the local history any more; name=${name.slice(0, 80)}`);
};
