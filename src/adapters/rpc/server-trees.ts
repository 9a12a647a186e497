/**
 * The states that a client reads: the trees of `checkout`, and the states of lists between two pages. Trees are kept
 * while they are in use, and made again from what they consist of.
 */
import type { CID } from '../../core/data/cid.ts';
import { cidEquals, cidToText } from '../../core/data/cid.ts';
import { RepoError, isRepoError } from '../../core/errors.ts';
import type { ListOptions } from '../../core/repo/repo.ts';
import type { StoredRepo, StoredTree } from '../../core/repo/stored-records.ts';
import type { At, RecordPage, TreeEdit, TreeRef } from './methods.ts';
import type { Gone } from './streams.ts';
import { GONE, MAX_PAGE_ITEMS, readPage } from './streams.ts';

/**
 * A tree holds the nodes that it has read, and a chain of edits shares them. A client rarely works on more than one.
 */
const MAX_TREES = 16;

export interface ServerTrees {
  /** The tree of a state, and the head to expect under it. */
  checkout(at: string | CID | undefined): Promise<{ readonly base: CID | undefined; readonly head: CID | undefined }>;
  /** @throws {RepoError} as `Repo.checkout`. */
  find(ref: TreeRef): Promise<StoredTree | Gone>;
  keep(key: number, tree: StoredTree): void;
  /** See `ServerMethods.page`. */
  page(
    list: number,
    at: At,
    of: 'entries' | 'list',
    collection: string | undefined,
    options: ListOptions,
  ): Promise<RecordPage | Gone>;
  /** `gc` need not keep the state of a list any longer. */
  leave(list: number): void;
  /** Nor of any list. */
  end(): void;
}

export const editTree = (tree: StoredTree, { collection, rkey, value }: TreeEdit): Promise<StoredTree> =>
  value === undefined ? tree.delete(collection, rkey) : tree.put(collection, rkey, value);

/** The state that a client knows of. */
const checkOutAgain = async (repo: StoredRepo, base: CID | undefined): Promise<StoredTree> => {
  if (base === undefined && (await repo.head()) !== undefined) {
    throw new RepoError('InvalidSwap', 'the tree is from before the first commit, which was made meanwhile');
  }
  try {
    return await repo.checkout(base);
  } catch (cause) {
    const gone = `the tree's base was removed since it was checked out: check out again; cid=${String(base)}`;
    throw isRepoError(cause, 'RefNotFound') ? new RepoError('BlockNotFound', gone, { cause }) : cause;
  }
};

export const createServerTrees = (repo: StoredRepo): ServerTrees => {
  /** Those that were used last are the last ones. */
  const trees = new Map<number | string, StoredTree>();
  /** Ends of the pins of lists. */
  const pins = new Map<number, () => void>();
  let isEnded = false;

  const keep = (key: number | string, tree: StoredTree): void => {
    trees.delete(key);
    trees.set(key, tree);
    const [oldest] = trees.keys();
    if (trees.size > MAX_TREES) {
      trees.delete(oldest!);
    }
  };
  const keyOf = (base: CID | undefined): string => (base === undefined ? '' : cidToText(base));

  const find = async ({ base, key, edits }: TreeRef): Promise<StoredTree | Gone> => {
    const known = trees.get(key ?? keyOf(base));
    if (known === undefined && key !== undefined && edits === undefined) {
      return GONE;
    }
    let tree = known ?? trees.get(keyOf(base)) ?? (await checkOutAgain(repo, base));
    if (known === undefined) {
      for (const edit of edits ?? []) {
        tree = await editTree(tree, edit);
      }
    }
    keep(key ?? keyOf(base), tree);
    return tree;
  };

  const headOf = async (at: At): Promise<CID | undefined> =>
    ((at !== undefined && 'branch' in at ? await repo.branch(at.branch).head() : undefined) ?? (await repo.head()))
      ?.cid;

  /** The tree of a list, whose state `gc` keeps from now on. */
  const pinned = async (list: number, at: At): Promise<StoredTree | Gone> => {
    for (;;) {
      const ref = at !== undefined && 'base' in at ? at : { base: await headOf(at) };
      const tree = await find(ref);
      if (tree === GONE || pins.has(list)) {
        return tree;
      }
      const unpin = await tree.pin();
      // A head that was found before a collection of garbage may be gone; the head of now is not.
      if (isEnded) {
        unpin();
        return tree;
      }
      if (ref === at || cidEquals(ref.base, await headOf(at))) {
        pins.set(list, unpin);
        return tree;
      }
      unpin();
    }
  };

  const leave = (list: number): void => {
    pins.get(list)?.();
    pins.delete(list);
  };

  return {
    async checkout(at) {
      const tree = await repo.checkout(at);
      keep(keyOf(tree.base), tree);
      return { base: tree.base, head: tree.head };
    },
    find,
    keep,
    async page(list, at, of, collection, options) {
      try {
        const tree = await pinned(list, at);
        if (tree === GONE) {
          return GONE;
        }
        // No record is read that does not fit the page. The store checks limits that are no whole numbers.
        const isLarge =
          options.limit === undefined || (Number.isInteger(options.limit) && options.limit > MAX_PAGE_ITEMS);
        const within = isLarge ? { ...options, limit: MAX_PAGE_ITEMS } : options;
        const found = of === 'list' ? tree.listStored(collection, within) : tree.entries(collection, within);
        const iterator = found[Symbol.asyncIterator]();
        const { items, done: isRead } = await readPage(iterator);
        await iterator.return?.();
        const done = isRead && (!isLarge || items.length < MAX_PAGE_ITEMS);
        if (done) {
          leave(list);
        }
        return { items, done, base: tree.base };
      } catch (error) {
        leave(list);
        throw error;
      }
    },
    leave,
    end() {
      isEnded = true;
      for (const list of [...pins.keys()]) {
        leave(list);
      }
    },
  };
};
