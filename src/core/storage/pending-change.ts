/**
 * The half of a change that all block stores share. Blocks go to the storage at once, so that an import of any size
 * needs no memory of its own. Removals, refs, meta and commits wait here, so that a store can apply them in one step at
 * the end, and no reader sees half of a change.
 */
import type { CID } from '../data/cid.ts';
import { bytesOfCid, CID_LENGTH, cidToText, isCidBytes } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import type { Tid } from '../syntax/tid.ts';
import type { Awaitable, ReaderSource } from './checked-reader.ts';
import { CheckedReader } from './checked-reader.ts';
import type { PendingWrites } from './pending-reads.ts';
import { readsAfter } from './pending-reads.ts';
import type { NamedBlock } from '../blocks/block.ts';
import type { BlockChange } from './ports.ts';

/** What a change needs of its store. The reads see the blocks that `add` has added. */
export interface ChangeSource extends ReaderSource {
  /**
   * Adds blocks; a block that is present stays as it is. Returns, in their order, which of them were new (`true` for
   * the first of two equal ones, `false` for the second).
   */
  add(blocks: readonly NamedBlock[]): Awaitable<boolean[]>;
}

/**
 * A change in the making. When `run` has succeeded, the store applies `pending`. When the change has ended either way,
 * the store calls `end`. A store that undoes a change also removes the blocks that `add` has added.
 */
export class PendingChange extends CheckedReader implements BlockChange {
  /** What is to be written at the end. */
  readonly pending: PendingWrites;
  readonly #source: ChangeSource;
  #ended = false;

  constructor(source: ChangeSource) {
    const pending: PendingWrites = { refs: new Map(), meta: new Map(), commits: new Map(), removed: new Set() };
    super(readsAfter(source, pending), () => this.assertRunning());
    this.#source = source;
    this.pending = pending;
  }

  async put(blocks: readonly NamedBlock[]): Promise<boolean[]> {
    this.assertRunning();
    // All names are checked before the first block goes in: a refused block refuses the call.
    blocks.forEach(assertNamed);
    const added = await this.#source.add(blocks);
    const { removed } = this.pending;
    // A block that this change has removed is still in the storage, and new all the same.
    return removed.size === 0 ? added : blocks.map(({ cid }, i) => removed.delete(cidToText(cid)) || added[i]!);
  }

  async remove(cids: readonly CID[]): Promise<void> {
    this.assertRunning();
    for (const cid of cids) {
      this.pending.removed.add(cidToText(cid));
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

  /** From now on every call rejects with `Closed`: a late call must not write into the next change. */
  end(): void {
    this.#ended = true;
  }

  /** @throws {RepoError} `Closed` after `end`. */
  assertRunning(): void {
    if (this.#ended) {
      throw new RepoError('Closed', 'the change has ended');
    }
  }
}

const assertNamed = ({ cid }: NamedBlock): void => {
  const name = bytesOfCid(cid);
  if (name.length !== CID_LENGTH || !isCidBytes(name)) {
    throw new RepoError(
      'Malformed',
      `a block is named by a CIDv1 of dag-cbor or raw with SHA-256; cid=${cid.toString()}`,
    );
  }
};
