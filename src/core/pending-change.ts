/**
 * The half of a change that every block store has in common. Blocks are added to the storage at once, so that an
 * import of any size needs no memory of its own; all the rest waits here, so that a store can do it in one
 * synchronous turn at the end and nobody sees half of it.
 */
import type { Bytes } from './bytes.ts';
import type { CID } from './cid.ts';
import { CID_LENGTH, cidToText, isCidBytes } from './cid.ts';
import { RepoError } from './errors.ts';
import type { Block, BlockChange } from './store.ts';
import type { Tid } from './tid.ts';

/** A block on its way into a store: the text of its CID, and its bytes. */
export type BlockRow = readonly [key: string, bytes: Uint8Array];

/** What a change needs of the storage while it is in the making. */
export interface ChangeBlocks {
  /** The block of that key, among them those that this change has added. */
  get(key: string): Bytes | undefined;
  /** Adds blocks; one that is there already stays as it is. Answers, in their order, which of them were new. */
  add(rows: readonly BlockRow[]): boolean[];
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

  async get(cid: CID): Promise<Bytes | undefined> {
    this.#assertRunning();
    return this.#read(cid);
  }

  async getMany(cids: readonly CID[]): Promise<(Bytes | undefined)[]> {
    this.#assertRunning();
    return cids.map((cid) => this.#read(cid));
  }

  async put(blocks: readonly Block[]): Promise<boolean[]> {
    this.#assertRunning();
    // All keys are made before the first block goes in: a refused block refuses the call.
    const rows = blocks.map(({ cid, bytes }): BlockRow => [blockKey(cid), bytes]);
    const added = this.#blocks.add(rows);
    // A block that this change has removed is still in the storage, and new all the same.
    return this.removed.size === 0 ? added : rows.map(([key], i) => this.removed.delete(key) || added[i]!);
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

  #read(cid: CID): Bytes | undefined {
    const key = cidToText(cid);
    return this.removed.has(key) ? undefined : this.#blocks.get(key);
  }

  #assertRunning(): void {
    if (this.#ended) {
      throw new RepoError('Closed', 'the change has ended');
    }
  }
}

const blockKey = (cid: CID): string => {
  if (cid.bytes.length !== CID_LENGTH || !isCidBytes(cid.bytes)) {
    throw new RepoError('Malformed', `a block is named by a CIDv1 of dag-cbor or raw with SHA-256; cid=${cid.toString()}`);
  }
  return cidToText(cid);
};
