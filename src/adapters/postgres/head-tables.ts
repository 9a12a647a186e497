/** The reads of a repository outside of changes, with the blocks that a read of the head has preloaded. */
import type { CacheBudget } from '../../core/blocks/cid-cache.ts';
import { equalBytes } from '../../core/data/bytes.ts';
import type { CID, CidBytes } from '../../core/data/cid.ts';
import { cidEquals } from '../../core/data/cid.ts';
import { MAIN } from '../../core/repo/store-names.ts';
import type { PendingWrites } from '../../core/storage/pending-reads.ts';
import type { Preload, PreloadOptions } from './preload.ts';
import { PreloadedBlocks, preloadOf, preloadStatement } from './preload.ts';
import { RepoTables } from './repo-tables.ts';
import type { TableNames } from './schema.ts';
import type { SqlSession } from './sql-client.ts';

export class HeadTables extends RepoTables {
  readonly #session: SqlSession;
  readonly #names: TableNames;
  readonly #repo: string;
  readonly #preloaded: PreloadedBlocks;
  /** The last head that was read or written. The repository above has its commit and its nodes. */
  #known: CID | undefined;
  /**
   * Whether the repository is so small that all its blocks were read together. `undefined` before the first read, and
   * `false` after the first change, because it may have become large.
   */
  #isSmall: boolean | undefined;
  /** Whether the last read found another head than the one before. Then the next one probably does too. */
  #moves = true;
  /** The same for the last change. Between two changes, this owner may read the head that another one has written. */
  #movedBeforeChange = false;

  /**
   * @param repo The number of the repository, in decimal.
   * @param budget Bounds the bytes of preloaded blocks.
   */
  constructor(session: SqlSession, names: TableNames, repo: string, budget?: CacheBudget) {
    const preloaded = new PreloadedBlocks(budget);
    // An export reads the commit of the head again. Other readers keep what they have read.
    super(session, names, repo, {
      get: (cid) => (this.#isHead(cid) ? preloaded.get(cid) : preloaded.take(cid)),
      add: (blocks) => preloaded.add(blocks),
    });
    this.#session = session;
    this.#names = names;
    this.#repo = repo;
    this.#preloaded = preloaded;
  }

  /** Whether a read of the head has also read all blocks, and this owner has changed nothing since. */
  get isSmall(): boolean {
    return this.#isSmall === true;
  }

  /** A read of the head. If the head has moved, also reads its commit and its root. */
  override async ref(name: string): Promise<CID | undefined> {
    if (name !== MAIN) {
      return super.ref(name);
    }
    if (!this.#moves) {
      const head = await super.ref(name);
      this.#note(head);
      return head;
    }
    const small = this.#isSmall === undefined;
    const text = preloadStatement(this.#names, this.#repo, { known: this.#known, small, nodes: true, forWrite: false });
    const preload = preloadOf(await this.#session.query(text));
    this.#note(preload.head);
    if (small) {
      this.#isSmall = preload.isSmall;
    }
    this.#preloaded.add(preload.blocks);
    return preload.head;
  }

  /** A list of all blocks shows what is stored now. So do the reads that follow it. */
  override cids(): AsyncGenerator<CID> {
    this.#preloaded.clear();
    return super.cids();
  }

  /**
   * Returns what a change that begins preloads. The first one also reads a small repository, because a change uses no
   * block that was read before it has the lock. Nodes only if the head has probably moved.
   */
  preloadOfChange(): PreloadOptions {
    const small = this.#isSmall !== false;
    const nodes = small || this.#moves || this.#movedBeforeChange;
    return { known: this.#known, small, nodes, forWrite: true };
  }

  /** Call it after a change with what it has preloaded. */
  changed(preload: Preload, { refs, removed }: PendingWrites): void {
    this.#movedBeforeChange = !cidEquals(preload.head, this.#known);
    this.#note(refs.has(MAIN) ? refs.get(MAIN) : preload.head);
    if (removed.size > 0) {
      this.#preloaded.clear();
    } else {
      this.#preloaded.add(preload.blocks);
    }
    this.#isSmall = false;
    // The repository that has written the head knows its nodes.
    this.#moves = false;
  }

  forget(): void {
    this.#preloaded.clear();
  }

  #isHead(cid: CidBytes): boolean {
    return this.#known !== undefined && equalBytes(this.#known.bytes, cid);
  }

  /** Another owner may have removed blocks of an earlier head, so preloaded ones are dropped. */
  #note(head: CID | undefined): void {
    this.#moves = !cidEquals(head, this.#known);
    if (this.#moves) {
      this.#preloaded.clear();
      this.#known = head;
    }
  }
}
