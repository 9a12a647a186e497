/** What a tree is made of. Nodes never change: an edit makes new ones along its path, and the old tree stays whole. */
import type { Bytes } from '../data/bytes.ts';
import type { CID, CidBytes } from '../data/cid.ts';
import { cidBytesToText, parseCid } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import { MAX_KEY_LENGTH } from './key.ts';

/**
 * Entries in one node. Keys that go into one node can be mined by hashing; among ten million random ones the longest
 * run is about 56.
 */
export const MAX_NODE_ENTRIES = 8192;

/**
 * Bytes of the keys of one node, written out. Its wire form leaves out what a key has in common with the one before: 11
 * MB of sound nodes held 106 MB of keys, and many nodes are read at once. Among honest nodes the largest has 60 keys of
 * 1 KB.
 */
export const MAX_NODE_KEYS_SIZE = 262_144;

/** Nodes from the root to a leaf. A key for layer 64 would take 2^128 hashes to find. */
export const MAX_TREE_DEPTH = 64;

export interface Node {
  /** How many layers there are below. */
  readonly layer: number;
  /** In order. */
  readonly keys: readonly string[];
  /** The CID of the record of each key. */
  readonly values: readonly CidBytes[];
  /** One more than there are keys: `children[i]` holds what lies between `keys[i - 1]` and `keys[i]`. */
  readonly children: readonly (Link | undefined)[];
}

/** What a node's bytes say: everything but its layer. */
export type NodeContent = Omit<Node, 'layer'>;

/**
 * The way to a node. Without `node` it has not been loaded; without `cid` it is new, and {@link seal} will name it. One
 * of them is always there.
 */
export interface Link {
  readonly cid: CidBytes | undefined;
  readonly node: Node | undefined;
}

/** A node and the CID of its block. */
export interface NamedNode {
  readonly cid: CidBytes;
  readonly node: Node;
}

/** A key and the CID of its record. */
export interface Leaf {
  readonly key: string;
  readonly value: CidBytes;
}

/** The root of the tree without keys, the one tree that may have an empty node. */
export const EMPTY_ROOT: CID = /* @__PURE__ */ parseCid('bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm');

/** The block of {@link EMPTY_ROOT}: `{ "e": [], "l": null }`. */
export const EMPTY_NODE_BYTES: Bytes = /* @__PURE__ */ Uint8Array.of(0xa2, 0x61, 0x65, 0x80, 0x61, 0x6c, 0xf6);

export const EMPTY_NODE: Node = { layer: 0, keys: [], values: [], children: [undefined] };

/** The tree to begin with. It is new, so sealing it makes its block. */
export const EMPTY_LINK: Link = { cid: undefined, node: EMPTY_NODE };

/** A tree of which nothing has been loaded. */
export const linkTo = (root: CID): Link => ({ cid: root.bytes as CidBytes, node: undefined });

/** A node that no block has yet. */
export const newLink = (node: Node): Link => ({ cid: undefined, node });

export const isEmptyNode = (node: Node): boolean => node.keys.length === 0 && node.children[0] === undefined;

/**
 * A node for a new tree.
 * @throws {RepoError} `LimitExceeded` with more than {@link MAX_NODE_ENTRIES} keys, or with more than
 *   {@link MAX_NODE_KEYS_SIZE} bytes of them: nobody would read it again.
 */
export const createNode = (
  layer: number,
  keys: readonly string[],
  values: readonly CidBytes[],
  children: readonly (Link | undefined)[],
): Node => {
  if (keys.length > MAX_NODE_ENTRIES) {
    throw new RepoError('LimitExceeded', `too many keys for one tree node; limit=${MAX_NODE_ENTRIES} key=${keys[0]}`);
  }
  // Nearly every node has fewer than could ever be too long together.
  if (
    keys.length > MAX_NODE_KEYS_SIZE / MAX_KEY_LENGTH &&
    keys.reduce((size, key) => size + key.length, 0) > MAX_NODE_KEYS_SIZE
  ) {
    throw new RepoError('LimitExceeded', `too long keys for one tree node; limit=${MAX_NODE_KEYS_SIZE} key=${keys[0]}`);
  }
  return { layer, keys, values, children };
};

/**
 * The node of a link.
 * @throws {RepoError} `BlockNotFound` when it was not loaded.
 */
export const nodeOf = (link: Link): Node => {
  if (link.node === undefined) {
    const cid = link.cid === undefined ? 'none' : cidBytesToText(link.cid);
    throw new RepoError('BlockNotFound', `the tree node was not loaded; cid=${cid}`);
  }
  return link.node;
};

/** The index of the first key that is not less than `key`; how many keys there are when all are. */
export const lowerBound = (keys: readonly string[], key: string): number => {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
};
