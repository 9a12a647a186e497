/**
 * The part of a change that all block stores share. Blocks are stored at once, so that a large import needs little
 * memory; a few may be staged. Removals, refs, meta and commits are pending until the end. A store then applies them in
 * one step, so that no reader sees half a change.
 */
import type { Bytes } from '../data/bytes.ts';
import { copyBytes } from '../data/bytes.ts';
import type { CID, CidLike } from '../data/cid.ts';
import { bytesOfCid, CID_LENGTH, cidToText, isCidBytes } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import type { Tid } from '../syntax/tid.ts';
import type { Awaitable, List, ReaderSource } from './checked-reader.ts';
import { CheckedReader } from './checked-reader.ts';
import type { PendingWrites } from './pending-reads.ts';
import { readsAfter } from './pending-reads.ts';
import { readsOf } from './reads-of.ts';
import type { NamedBlock } from '../blocks/block.ts';
import type { BlockChange } from './ports.ts';

/** The store side of a change. Its reads see the blocks that `add` added. */
export interface ChangeSource extends ReaderSource {
  /**
   * Adds blocks. An existing block stays unchanged. Returns for each block whether it was new (`true` for the first of
   * two equal blocks, `false` for the second).
   */
  add(blocks: readonly NamedBlock[]): Awaitable<boolean[]>;
  /**
   * Most bytes of staged blocks and their CIDs. They are in `pending.staged`, and the store adds them when it applies
   * `pending`. Absent if each block is added at once.
   */
  readonly stagedBytes?: number | undefined;
}

/**
 * A running change. After `run` succeeds, the store applies `pending`. After success or failure, the store calls `end`.
 * To undo a change, the store also removes the blocks that `add` added.
 */
export class PendingChange extends CheckedReader implements BlockChange {
  /** Writes to apply at the end. */
  readonly pending: PendingWrites;
  readonly stage: BlockChange['stage'];
  readonly #source: ChangeSource;
  /** Blocks that are being added. */
  readonly #adding: Set<Promise<unknown>>;
  #stagedSize = 0;
  #ended = false;

  constructor(source: ChangeSource) {
    const pending: PendingWrites = {
      refs: new Map(),
      meta: new Map(),
      commits: new Map(),
      removed: new Set(),
      staged: new Map(),
    };
    const adding = new Set<Promise<unknown>>();
    const flush = (): Promise<unknown> => this.#flush();
    super(readsAfter(withStaged(afterAdding(source, adding), pending.staged, flush), pending), () =>
      this.assertRunning(),
    );
    this.#adding = adding;
    this.#source = source;
    this.pending = pending;
    const { stagedBytes } = source;
    this.stage = stagedBytes === undefined ? undefined : (blocks) => this.#stage(blocks, stagedBytes);
  }

  async put(blocks: readonly NamedBlock[]): Promise<boolean[]> {
    this.assertRunning();
    // All CIDs are checked before the first block is added, so that a bad CID rejects the whole call.
    blocks.forEach(assertNamed);
    const { removed, staged } = this.pending;
    // A block that this change removed is still stored, but counts as new. Before the wait, so that a later call of
    // `remove` counts.
    const restored = removed.size === 0 ? [] : blocks.map(({ cid }) => removed.delete(cidToText(cid)));
    const known = staged.size === 0 ? [] : blocks.map(({ cid }) => staged.has(cidToText(cid)));
    const adding = this.#source.add(blocks);
    const added = Array.isArray(adding) ? adding : await this.#awaited(adding);
    return restored.length + known.length === 0
      ? added
      : added.map((isNew, i) => (restored[i] ?? false) || (isNew && known[i] !== true));
  }

  async #stage(blocks: readonly NamedBlock[], most: number): Promise<void> {
    this.assertRunning();
    blocks.forEach(assertNamed);
    const { removed, staged } = this.pending;
    for (const block of blocks) {
      const text = cidToText(block.cid);
      removed.delete(text);
      staged.set(text, block);
      this.#stagedSize += CID_LENGTH + block.bytes.length;
    }
    if (this.#stagedSize > most) {
      await this.#flush();
    }
  }

  /** Adds the staged blocks now. */
  async #flush(): Promise<void> {
    const { staged } = this.pending;
    if (staged.size > 0) {
      const blocks = [...staged.values()];
      staged.clear();
      this.#stagedSize = 0;
      await this.#awaited((async () => this.#source.add(blocks))());
    }
  }

  /**
   * Waits for calls of `put` that nobody awaited. A store calls it before it applies `pending`.
   * @throws the first error of one of them, which `run` may have ignored.
   */
  async awaitPuts(): Promise<void> {
    await Promise.all(this.#adding);
  }

  async #awaited(adding: Promise<boolean[]>): Promise<boolean[]> {
    this.#adding.add(adding);
    const added = await adding;
    // A failed one stays, because the change lacks its blocks.
    this.#adding.delete(adding);
    return added;
  }

  async remove(cids: readonly CID[]): Promise<void> {
    this.assertRunning();
    const { removed, staged } = this.pending;
    for (const cid of cids) {
      const text = cidToText(cid);
      staged.delete(text);
      removed.add(text);
    }
  }

  async setRef(name: string, cid: CID | undefined): Promise<void> {
    this.assertRunning();
    this.pending.refs.set(name, cid);
  }

  async setMeta(name: string, value: string | undefined): Promise<void> {
    this.assertRunning();
    this.pending.meta.set(name, value);
  }

  async addCommit(rev: Tid, cid: CID): Promise<void> {
    this.assertRunning();
    this.pending.commits.set(rev, cid);
  }

  async removeCommit(rev: Tid): Promise<void> {
    this.assertRunning();
    this.pending.commits.set(rev, undefined);
  }

  /** Ends the change. Later calls reject with `Closed`, so that they do not write into the next change. */
  end(): void {
    this.#ended = true;
  }

  /** @throws {RepoError} `Closed` after `end`. */
  assertRunning(): void {
    if (this.#ended) {
      throw new RepoError('Closed', 'the change has ended: await all its calls inside transact');
    }
  }
}

/** Returns the reads of a source. Those of blocks wait until running calls of `add` have ended. */
const afterAdding = (source: ReaderSource, adding: ReadonlySet<Promise<unknown>>): ReaderSource => ({
  ...readsOf(source),
  get: (cid) => (adding.size === 0 ? source.get(cid) : Promise.all(adding).then(() => source.get(cid))),
  getMany: (cids) => (adding.size === 0 ? source.getMany(cids) : Promise.all(adding).then(() => source.getMany(cids))),
  cids: () => (adding.size === 0 ? source.cids() : listAfter(adding, () => source.cids())),
});

/** Returns reads that see staged blocks. A list of all blocks adds them first. */
const withStaged = (
  source: ReaderSource,
  staged: ReadonlyMap<string, NamedBlock>,
  flush: () => Promise<unknown>,
): ReaderSource => {
  // The caller owns the returned bytes.
  const find = (cid: CidLike): Bytes | undefined => {
    const block = staged.size === 0 ? undefined : staged.get(cidToText(cid));
    return block && copyBytes(block.bytes);
  };
  return {
    ...source,
    get: (cid) => find(cid) ?? source.get(cid),
    async getMany(cids) {
      if (staged.size === 0) {
        return source.getMany(cids);
      }
      const found = cids.map(find);
      const others = cids.filter((_, i) => found[i] === undefined);
      const stored = others.length === 0 ? [] : await source.getMany(others);
      let next = 0;
      return found.map((bytes) => bytes ?? stored[next++]);
    },
    cids: () => (staged.size === 0 ? source.cids() : listAfter([flush()], () => source.cids())),
  };
};

async function* listAfter<T>(adding: Iterable<Promise<unknown>>, list: () => List<T>): AsyncGenerator<T> {
  await Promise.all(adding);
  yield* list();
}

const assertNamed = ({ cid }: NamedBlock): void => {
  const name = bytesOfCid(cid);
  if (name.length !== CID_LENGTH || !isCidBytes(name)) {
    throw new RepoError(
      'Malformed',
      `the CID of a block is not supported: use a CIDv1 of dag-cbor or raw with SHA-256; cid=${cid.toString()}`,
    );
  }
};
