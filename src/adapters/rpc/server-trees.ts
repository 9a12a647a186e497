/**
 * The states that a client reads: the trees of `checkout`, and the states of lists between two pages. Trees are kept
 * while they are in use, and made again from what they consist of.
 */
import type { CID } from '../../core/data/cid.ts';
import { cidToText } from '../../core/data/cid.ts';
import { RepoError, isRepoError } from '../../core/errors.ts';
import type { StoredRepo, StoredTree } from '../../core/repo/stored-records.ts';
import { goneError } from './gone.ts';
import type { At, ServerMethods, TreeEdit, TreeRef } from './methods.ts';
import { MAX_PAGE_ITEMS, readPage } from './streams.ts';

/**
 * A tree holds the nodes that it has read, and a chain of edits shares them. A client rarely works on more than one.
 */
const MAX_TREES = 16;

const editTree = (tree: StoredTree, { collection, rkey, value }: TreeEdit): Promise<StoredTree> =>
  value === undefined ? tree.delete(collection, rkey) : tree.put(collection, rkey, value);

const keyOf = (base: CID | undefined): string => (base === undefined ? '' : cidToText(base));

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
  async checkout(at: string | CID | undefined): Promise<ReturnType<ServerMethods['checkout']>> {
    const tree = await this.#repo.checkout(at);
    this.#keep(keyOf(tree.base), tree);
    return { base: tree.base, head: tree.head };
  }

  /** @throws {RepoError} {@link goneError} for a tree whose edits it needs; as `Repo.checkout`. */
  async find({ base, key: edited, edits }: TreeRef): Promise<StoredTree> {
    const key = edited ?? keyOf(base);
    let tree = this.#trees.get(key);
    if (tree === undefined) {
      if (edited !== undefined && edits === undefined) {
        throw goneError();
      }
      tree = this.#trees.get(keyOf(base)) ?? (await this.#checkOutAgain(base));
      for (const edit of edits ?? []) {
        tree = await editTree(tree, edit);
      }
    }
    this.#keep(key, tree);
    return tree;
  }

  /** See {@link ServerMethods.edit}. */
  async edit(ref: TreeRef, edit: TreeEdit, key: number): Promise<boolean> {
    const tree = await this.find(ref);
    const edited = await editTree(tree, edit);
    if (edited !== tree) {
      this.#keep(key, edited);
    }
    return edited !== tree;
  }

  /** See {@link ServerMethods.page}. */
  async page(
    ...[list, at, of, collection, options]: Parameters<ServerMethods['page']>
  ): Promise<ReturnType<ServerMethods['page']>> {
    let isLast = true;
    try {
      const tree = await this.#pinned(list, at);
      // No record is read that does not fit the page. The store refuses a limit that is not a whole number.
      const { limit = MAX_PAGE_ITEMS + 1 } = options;
      const isLarge = Number.isInteger(limit) && limit > MAX_PAGE_ITEMS;
      const within = isLarge ? { ...options, limit: MAX_PAGE_ITEMS } : options;
      const found = of === 'list' ? tree.listStored(collection, within) : tree.entries(collection, within);
      const iterator = found[Symbol.asyncIterator]();
      const { items, done } = await readPage(iterator);
      await iterator.return?.();
      isLast = done && (!isLarge || items.length < MAX_PAGE_ITEMS);
      return { items, done: isLast, base: tree.base };
    } finally {
      if (isLast) {
        this.leave(list);
      }
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

  #keep(key: number | string, tree: StoredTree): void {
    this.#trees.delete(key);
    this.#trees.set(key, tree);
    const [oldest] = this.#trees.keys();
    if (this.#trees.size > MAX_TREES) {
      this.#trees.delete(oldest!);
    }
  }

  /** The state that a client knows of. */
  async #checkOutAgain(base: CID | undefined): Promise<StoredTree> {
    if (base === undefined && (await this.#repo.head()) !== undefined) {
      throw new RepoError(
        'InvalidSwap',
        'the tree is from before the first commit, which was made meanwhile: check out again',
      );
    }
    try {
      return await this.#repo.checkout(base);
    } catch (cause) {
      const gone = `the tree's base was removed since it was checked out: check out again; cid=${String(base)}`;
      throw isRepoError(cause, 'RefNotFound') ? new RepoError('BlockNotFound', gone, { cause }) : cause;
    }
  }

  /** The tree of a list, whose state `gc` keeps from now on. */
  async #pinned(list: number, at: At): Promise<StoredTree> {
    let tree: StoredTree;
    let release: (() => void) | undefined;
    if (at !== undefined && 'base' in at) {
      tree = await this.find(at);
      release = this.#pins.has(list) ? undefined : await tree.pin();
    } else {
      ({ tree, release } = await this.#repo.checkoutPinned(at?.branch));
      this.#keep(keyOf(tree.base), tree);
    }
    if (this.#isEnded) {
      release?.();
    } else if (release !== undefined) {
      this.#pins.set(list, release);
    }
    return tree;
  }
}
