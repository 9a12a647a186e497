/**
 * The half of a change that every block store has in common. Blocks are added to the storage at once, so that an
 * import of any size needs no memory of its own; all the rest waits here, so that a store can do it in one
 * synchronous turn at the end and nobody sees half of it.
 */
import type { Bytes } from '../data/bytes.ts';
import type { CID, CidLike } from '../data/cid.ts';
import { bytesOfCid, CID_LENGTH, cidToText, isCidBytes } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import type { BlockChange } from './ports.ts';
import type { NamedBlock } from '../blocks/block.ts';
import type { Tid } from '../syntax/tid.ts';

/** What a change needs of the storage while it is in the making. */
export interface ChangeBlocks {
  /** A block, among them those that this change has added. */
  get(cid: CidLike): Bytes | undefined;
  /** Adds blocks; one that is there already stays as it is. Answers, in their order, which of them were new. */
  add(blocks: readonly NamedBlock[]): boolean[];
  /** Hears how many bytes of blocks are about to be added. */
  expect?(bytes: number): void;
}

/** A change in the making. The store reads what is to be done from its maps once `end` has been called. */
export class PendingChange implements BlockChange {
  /** What each ref is to point to; `undefined` where it is to go. */
  readonly refs: Map<string, CID | undefined> = new Map();
  readonly meta: Map<string, string | undefined> = new Map();
  readonly commits: Map<Tid, CID | undefined> = new Map();
  /** The keys of the blocks that are to go. */
  readonly removed: Set<string> = new Set();
  readonly #blocks: ChangeBlocks;
  #removesJunk = false;
  #ended = false;

  constructor(blocks: ChangeBlocks) {
    this.#blocks = blocks;
  }

  async get(cid: CidLike): Promise<Bytes | undefined> {
    this.#assertRunning();
    return this.#read(cid);
  }

  async getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    this.#assertRunning();
    return cids.map((cid) => this.#read(cid));
  }

  async expect(bytes: number): Promise<void> {
    this.#assertRunning();
    this.#blocks.expect?.(bytes);
  }

  async put(blocks: readonly NamedBlock[]): Promise<boolean[]> {
    this.#assertRunning();
    // All names are looked at before the first block goes in: a refused block refuses the call.
    blocks.forEach(assertNamed);
    const added = this.#blocks.add(blocks);
    // A block that this change has removed is still in the storage, and new all the same.
    return this.removed.size === 0
      ? added
      : blocks.map(({ cid }, i) => this.removed.delete(cidToText(cid)) || added[i]!);
  }

  async remove(cids: readonly CID[]): Promise<void> {
    this.#assertRunning();
    for (const cid of cids) {
      this.removed.add(cidToText(cid));
    }
  }

  async setRef(name: string, cid: CID | undefined): Promise<void> {
    this.#assertRunning();
    this.refs.set(name, cid);
  }

  async setMeta(key: string, value: string | undefined): Promise<void> {
    this.#assertRunning();
    this.meta.set(key, value);
  }

  async addCommit(rev: Tid, cid: CID): Promise<void> {
    this.#assertRunning();
    this.commits.set(rev, cid);
  }

  async removeCommit(rev: Tid): Promise<void> {
    this.#assertRunning();
    this.commits.set(rev, undefined);
  }

  async removeJunk(): Promise<void> {
    this.#assertRunning();
    this.#removesJunk = true;
  }

  /** Whether the rows that are no entries are to go. */
  get removesJunk(): boolean {
    return this.#removesJunk;
  }

  /** From now on every call rejects: a straggler must not write into the change of somebody else. */
  end(): void {
    this.#ended = true;
  }

  #read(cid: CidLike): Bytes | undefined {
    return this.removed.size > 0 && this.removed.has(cidToText(cid)) ? undefined : this.#blocks.get(cid);
  }

  #assertRunning(): void {
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
