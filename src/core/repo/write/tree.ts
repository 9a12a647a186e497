/**
 * A tree that is edited before it becomes a commit. All trees of one checkout share a map of new blocks. Blocks are
 * addressed by content, so no tree sees changes of another.
 */
import type { CID, CidBytes, CidLike } from '../../data/cid.ts';
import { cidToText, decodeCid } from '../../data/cid.ts';
import type { Bytes } from '../../data/bytes.ts';
import { copyBytes } from '../../data/bytes.ts';
import { EMPTY_NODE_BYTES, EMPTY_ROOT } from '../../mst/node.ts';
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
import type { NodeReader } from '../../mst/node-reader.ts';
import { createNodeReader } from '../../mst/node-reader.ts';
import type { HashAll } from '../../data/sha256.ts';
import type { BlockReader } from '../../storage/ports.ts';
import type { Block } from '../../blocks/block.ts';
import type { PlannedOp } from './apply.ts';
import type { CheckedOut } from './checked-out.ts';
import { applyOps } from './apply.ts';
import type { RepoParts } from '../open-parts.ts';
import { readPinned, withPinned } from '../care/pins.ts';
import { recordPath } from '../path.ts';
import type { View } from '../read/records.ts';
import { listCollections } from '../read/collection-counts.ts';
import { findManyRecords, findManyStored } from '../read/many-records.ts';
import { findRecord, findStored, listEntries, listRecords, listStored } from '../read/records.ts';
import { encodeRecord } from '../record.ts';
import type { StoredEntry, StoredRecord, StoredTree, TreeEdit } from '../stored-records.ts';

/** New blocks that are not stored, over a store. */
interface Drafts extends BlockReader {
  /** Reads nodes through a cache of its own: that of the repository holds only nodes that are stored. */
  readonly nodes: NodeReader;
  add(blocks: readonly Block[]): void;
  draft(cid: CidLike): Bytes | undefined;
}

/** Returns a reader of drafts, and of other blocks if there is no draft. */
const readerOver = (draft: Drafts['draft'], others: BlockReader): BlockReader => ({
  async get(cid) {
    const bytes = draft(cid);
    // The caller owns the returned bytes.
    return bytes === undefined ? others.get(cid) : copyBytes(bytes);
  },
  async getMany(cids) {
    const found = cids.map(draft);
    const absent = cids.filter((_, i) => found[i] === undefined);
    const stored = absent.length === 0 ? [] : await others.getMany(absent);
    let next = 0;
    return found.map((bytes) => (bytes === undefined ? stored[next++] : copyBytes(bytes)));
  },
});

const draftsOver = (store: BlockReader, hashAll: HashAll): Drafts => {
  const blocks = new Map<string, Bytes>();
  const draft = (cid: CidLike): Bytes | undefined => blocks.get(cidToText(cid));
  const reader = readerOver(draft, store);
  return {
    ...reader,
    nodes: createNodeReader(reader, { hashAll }),
    add(more) {
      for (const { cid, bytes } of more) {
        blocks.set(cidToText(cid), bytes as Bytes);
      }
    },
    draft,
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

  getMany(paths: readonly string[]): Promise<(FoundRecord | undefined)[]> {
    return withPinned(this.#parts.pins, this.#base, () => findManyRecords(this.#view, paths));
  }

  getManyStored(paths: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    return withPinned(this.#parts.pins, this.#base, () => findManyStored(this.#view, paths));
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
    return withPinned(this.#parts.pins, this.#base, () => listCollections(this.#parts, this.#view));
  }

  async put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<RepoTree> {
    return this.#apply([this.#put(collection, rkey, value)]);
  }

  async delete(collection: string, rkey: string): Promise<RepoTree> {
    return this.#apply([{ action: 'discard', path: recordPath(collection, rkey) }]);
  }

  async edit(edits: readonly TreeEdit[]): Promise<RepoTree> {
    return this.#apply(
      edits.map(({ collection, rkey, value }) =>
        value === undefined
          ? { action: 'discard', path: recordPath(collection, rkey) }
          : this.#put(collection, rkey, value),
      ),
    );
  }

  #put(collection: string, rkey: string, value: RecordValue | Uint8Array): PlannedOp {
    const path = recordPath(collection, rkey);
    return { action: 'put', path, record: encodeRecord(collection, value, this.#parts.validate) };
  }

  /** All blocks that are not drafts belong to this commit. */
  readonly #base = async (): Promise<readonly (Head | undefined)[]> => [this.checkedOut.base];

  async #apply(ops: readonly PlannedOp[]): Promise<RepoTree> {
    const { root, blocks, changes } = await withPinned(this.#parts.pins, this.#base, () =>
      applyOps(this.#view.nodes, this.#view.root, ops),
    );
    if (changes.length === 0) {
      return this;
    }
    this.#drafts.add(blocks);
    return new RepoTree(this.#parts, this.#drafts, { ...this.#view, root, nodes: this.#drafts.nodes }, this.checkedOut);
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

  /** Returns a reader of the nodes of several trees, and of all stored nodes. */
  static readerOf(trees: readonly (RepoTree | undefined)[], parts: RepoParts): NodeReader {
    const edited = trees.filter((tree) => tree !== undefined && tree.#view.nodes !== parts.nodes);
    const [drafts, ...others] = new Set(edited.map((tree) => tree!.#drafts));
    return others.length === 0
      ? (drafts?.nodes ?? parts.nodes)
      : createNodeReader(
          others.reduce((reader: BlockReader, { draft }) => readerOver(draft, reader), drafts!),
          { hashAll: parts.hashAll },
        );
  }

  /** Returns the tree of the checked-out commit, or the empty tree before the first commit. */
  static checkout(parts: RepoParts, checkedOut: CheckedOut): RepoTree {
    const { did, hashAll } = parts;
    const drafts = draftsOver(parts.store, hashAll);
    const view = { did, blocks: drafts, hashAll };
    if (checkedOut.base === undefined) {
      drafts.add([{ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES }]);
      return new RepoTree(parts, drafts, { ...view, root: EMPTY_ROOT, nodes: drafts.nodes }, checkedOut);
    }
    return new RepoTree(parts, drafts, { ...view, root: checkedOut.base.data, nodes: parts.nodes }, checkedOut);
  }
}
