/**
 * A tree that is edited before it becomes a commit. All trees of one checkout share a map of new blocks. Blocks are
 * addressed by content, so no tree sees changes of another.
 */
import type { CID, CidBytes, CidLike } from '../../data/cid.ts';
import { cidToText, decodeCid } from '../../data/cid.ts';
import type { Bytes } from '../../data/bytes.ts';
import { copyBytes } from '../../data/bytes.ts';
import { EMPTY_NODE_BYTES, EMPTY_ROOT } from '../../mst/node.ts';
import { createNodeReader } from '../../mst/node-reader.ts';
import type {
  CollectionCount,
  FoundRecord,
  Head,
  ListOptions,
  RecordEntry,
  RecordValue,
  Tree,
  TreeEntry,
} from '../repo.ts';
import type { BlockReader } from '../../storage/ports.ts';
import type { Block } from '../../blocks/block.ts';
import type { PlannedOp } from './apply.ts';
import type { CheckedOut } from './checked-out.ts';
import { applyOps } from './apply.ts';
import type { RepoParts } from '../open-parts.ts';
import { readPinned, withPinned } from '../care/pins.ts';
import { recordPath } from '../path.ts';
import type { View } from '../read/records.ts';
import { countCollections, findRecord, findStored, listEntries, listRecords, listStored } from '../read/records.ts';
import { encodeRecord } from '../record.ts';
import type { StoredEntry, StoredRecord, StoredTree } from '../stored-records.ts';

/** New blocks that are not stored, over a store. */
interface Drafts extends BlockReader {
  add(blocks: readonly Block[]): void;
  draft(cid: CidLike): Bytes | undefined;
}

const draftsOver = (store: BlockReader): Drafts => {
  const blocks = new Map<string, Bytes>();
  const draft = (cid: CidLike): Bytes | undefined => blocks.get(cidToText(cid));
  return {
    add(more) {
      for (const { cid, bytes } of more) {
        blocks.set(cidToText(cid), bytes as Bytes);
      }
    },
    draft,
    async get(cid) {
      const bytes = draft(cid);
      // The caller owns the returned bytes.
      return bytes === undefined ? store.get(cid) : copyBytes(bytes);
    },
    async getMany(cids) {
      const found = cids.map(draft);
      const absent = cids.filter((_, i) => found[i] === undefined);
      const stored = absent.length === 0 ? [] : await store.getMany(absent);
      let next = 0;
      return found.map((bytes) => (bytes === undefined ? stored[next++] : copyBytes(bytes)));
    },
  };
};

/** Implements {@link Tree}. Keeps the repository it was checked out from, and the head at that time. */
export class RepoTree implements StoredTree {
  readonly #parts: RepoParts;
  readonly #drafts: Drafts;
  readonly #view: View & { readonly root: CID };
  /** The origin of this tree or of its ancestor. */
  readonly checkedOut: CheckedOut;

  constructor(parts: RepoParts, drafts: Drafts, view: View & { readonly root: CID }, checkedOut: CheckedOut) {
    this.#parts = parts;
    this.#drafts = drafts;
    this.#view = view;
    this.checkedOut = checkedOut;
  }

  get base(): CID | undefined {
    return this.checkedOut.base?.cid;
  }

  get head(): CID | undefined {
    return this.checkedOut.head;
  }

  get root(): CID {
    return this.#view.root;
  }

  get(collection: string, rkey: string): Promise<FoundRecord | undefined> {
    return withPinned(this.#parts.pins, this.#base, () => findRecord(this.#view, collection, rkey));
  }

  getStored(collection: string, rkey: string): Promise<StoredRecord | undefined> {
    return withPinned(this.#parts.pins, this.#base, () => findStored(this.#view, collection, rkey));
  }

  listStored(collection?: string, options?: ListOptions): AsyncIterable<StoredEntry> {
    return readPinned(this.#parts.pins, this.#base, () => listStored(this.#view, collection, options));
  }

  list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry> {
    return readPinned(this.#parts.pins, this.#base, () => listRecords(this.#view, collection, options));
  }

  entries(collection?: string, options?: ListOptions): AsyncIterable<TreeEntry> {
    return readPinned(this.#parts.pins, this.#base, () => listEntries(this.#view, collection, options));
  }

  collections(): Promise<CollectionCount[]> {
    return withPinned(this.#parts.pins, this.#base, () => countCollections(this.#view));
  }

  async pin(): Promise<() => void> {
    return (await this.#parts.pins.pin(this.#base)).release;
  }

  async put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<RepoTree> {
    const path = recordPath(collection, rkey);
    return this.#apply({ action: 'put', path, record: encodeRecord(collection, value, this.#parts.validate) });
  }

  async delete(collection: string, rkey: string): Promise<RepoTree> {
    return this.#apply({ action: 'discard', path: recordPath(collection, rkey) });
  }

  /** All blocks that are not drafts belong to this commit. */
  readonly #base = async (): Promise<readonly (Head | undefined)[]> => [this.checkedOut.base];

  async #apply(op: PlannedOp): Promise<RepoTree> {
    const { root, blocks, changes } = await withPinned(this.#parts.pins, this.#base, () =>
      applyOps(this.#view.nodes, this.#view.root, [op]),
    );
    if (changes.length === 0) {
      return this;
    }
    this.#drafts.add(blocks);
    return new RepoTree(this.#parts, this.#drafts, { ...this.#view, root }, this.checkedOut);
  }

  /** Returns the new blocks of this tree. A node that is not a draft has no draft below it. */
  async draftBlocks(): Promise<Block[]> {
    const found = new Map<string, Block>();
    const add = (cid: CID): boolean => {
      const text = cidToText(cid);
      const bytes = this.#drafts.draft(cid);
      if (bytes === undefined || found.has(text)) {
        return false;
      }
      found.set(text, { cid, bytes });
      return true;
    };
    const rest: CID[] = [this.root];
    for (let cid = rest.pop(); cid !== undefined; cid = rest.pop()) {
      if (!add(cid)) {
        continue;
      }
      const node = await this.#view.nodes.node(cid.bytes as CidBytes);
      for (const value of node.values) {
        add(decodeCid(value));
      }
      for (const child of node.children) {
        if (child?.cid !== undefined) {
          rest.push(decodeCid(child.cid));
        }
      }
    }
    return [...found.values()];
  }

  /** @throws {TypeError} when the tree is not of this repository. */
  static of(tree: Tree, parts: RepoParts): RepoTree {
    if (!(tree instanceof RepoTree) || tree.#parts !== parts) {
      throw new TypeError(
        `the tree is not of this repository: use a tree that checkout() of this repository returned; did=${parts.did}`,
      );
    }
    return tree;
  }

  /** Returns the tree of the checked-out commit, or the empty tree before the first commit. */
  static checkout(parts: RepoParts, checkedOut: CheckedOut): RepoTree {
    const root = checkedOut.base?.data;
    const drafts = draftsOver(parts.store);
    if (root === undefined) {
      drafts.add([{ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES }]);
    }
    const { did, hashAll } = parts;
    const nodes = createNodeReader(drafts, { hashAll });
    return new RepoTree(parts, drafts, { did, root: root ?? EMPTY_ROOT, blocks: drafts, nodes, hashAll }, checkedOut);
  }
}
