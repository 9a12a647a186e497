/**
 * The states that a client reads: the trees of `checkout`, and the states of lists between two pages. Trees are kept
 * while they are in use, and made again from what they consist of.
 */
import type { CID } from '../../core/data/cid.ts';
import { cidEquals, cidToText } from '../../core/data/cid.ts';
import { RepoError, isRepoError } from '../../core/errors.ts';
import type { StoredRepo, StoredTree } from '../../core/repo/stored-records.ts';
import { goneError } from './gone.ts';
import type { At, ServerMethods, TreeEdit, TreeRef } from './methods.ts';
import { MAX_PAGE_ITEMS, readPage } from './streams.ts';

/**
 * A tree holds the nodes that it has read, and a chain of edits shares them. A client rarely works on more than one.
 */
const MAX_TREES = 16;

type ReturnTypeOf<K extends keyof ServerMethods> = Promise<ReturnType<ServerMethods[K]>>;

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

export class ServerTrees {
  readonly #repo: StoredRepo;
  /** Those that were used last are the last ones. */
  readonly #trees = new Map<number | string, StoredTree>();
  /** Ends of the pins of lists. */
  readonly #pins = new Map<number, () => void>();
  #isEnded = false;

  constructor(repo: StoredRepo) {
    this.#repo = repo;
  }

  /** The tree of a state, and the head to expect under it. */
  async checkout(at: string | CID | undefined): ReturnTypeOf<'checkout'> {
    const tree = await this.#repo.checkout(at);
    this.keep(keyOf(tree.base), tree);
    return { base: tree.base, head: tree.head };
  }

  keep(key: number | string, tree: StoredTree): void {
    this.#trees.delete(key);
    this.#trees.set(key, tree);
    const [oldest] = this.#trees.keys();
    if (this.#trees.size > MAX_TREES) {
      this.#trees.delete(oldest!);
    }
  }

  /** @throws {RepoError} {@link goneError} for a tree whose edits it needs; as `Repo.checkout`. */
  async find({ base, key, edits }: TreeRef): Promise<StoredTree> {
    const known = this.#trees.get(key ?? keyOf(base));
    if (known === undefined && key !== undefined && edits === undefined) {
      throw goneError();
    }
    let tree = known ?? this.#trees.get(keyOf(base)) ?? (await checkOutAgain(this.#repo, base));
    for (const edit of known === undefined ? (edits ?? []) : []) {
      tree = await editTree(tree, edit);
    }
    this.keep(key ?? keyOf(base), tree);
    return tree;
  }

  /** See {@link ServerMethods.page}. */
  async page(...[list, at, of, collection, options]: Parameters<ServerMethods['page']>): ReturnTypeOf<'page'> {
    try {
      const tree = await this.#pinned(list, at);
      // No record is read that does not fit the page. The store refuses a limit that is not a whole number.
      const isLarge =
        options.limit === undefined || (Number.isInteger(options.limit) && options.limit > MAX_PAGE_ITEMS);
      const within = isLarge ? { ...options, limit: MAX_PAGE_ITEMS } : options;
      const found = of === 'list' ? tree.listStored(collection, within) : tree.entries(collection, within);
      const iterator = found[Symbol.asyncIterator]();
      const { items, done: isRead } = await readPage(iterator);
      await iterator.return?.();
      const done = isRead && (!isLarge || items.length < MAX_PAGE_ITEMS);
      if (done) {
        this.leave(list);
      }
      return { items, done, base: tree.base };
    } catch (error) {
      this.leave(list);
      throw error;
    }
  }

  /** `gc` need not keep the state of a list any longer. */
  leave(list: number): void {
    this.#pins.get(list)?.();
    this.#pins.delete(list);
  }

  /** Nor of any list. */
  end(): void {
    this.#isEnded = true;
    [...this.#pins.keys()].forEach((list) => this.leave(list));
  }

  async #headOf(at: At): Promise<CID | undefined> {
    const branch = at !== undefined && 'branch' in at ? await this.#repo.branch(at.branch).head() : undefined;
    return (branch ?? (await this.#repo.head()))?.cid;
  }

  /** The tree of a list, whose state `gc` keeps from now on. */
  async #pinned(list: number, at: At): Promise<StoredTree> {
    for (;;) {
      const ref = at !== undefined && 'base' in at ? at : { base: await this.#headOf(at) };
      const tree = await this.find(ref);
      if (this.#pins.has(list)) {
        return tree;
      }
      const unpin = await tree.pin();
      // A head that was found before a collection of garbage may be gone; the head of now is not.
      if (ref === at || cidEquals(ref.base, await this.#headOf(at))) {
        this.#pins.set(list, unpin);
        if (this.#isEnded) {
          this.leave(list);
        }
        return tree;
      }
      unpin();
    }
  }
}

const keyOf = (base: CID | undefined): string => (base === undefined ? '' : cidToText(base));
