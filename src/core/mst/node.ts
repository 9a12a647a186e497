/**
 * Nodes and links of a tree. Nodes are immutable: an edit makes new ones along its path, and the old tree stays valid.
 */
import type { Bytes } from '../data/bytes.ts';
import type { CID, CidBytes } from '../data/cid.ts';
import { cidBytesToText, parseCid } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import { MAX_KEY_LENGTH } from './key.ts';

/**
 * Most entries of a node. Among ten million random keys, the largest node has about 56. An attacker can find keys that
 * all go into one node.
 */
export const MAX_NODE_ENTRIES = 8192;

/**
 * Most bytes of all keys of a node. The encoding omits common prefixes: in a test, 11 MB of valid nodes had 106 MB of
 * keys. Honest nodes have at most about 60 keys of 1 KB.
 */
export const MAX_NODE_KEYS_SIZE = 262_144;

/** Most nodes from the root to a leaf. Finding a key of layer 64 takes 2^128 hashes. */
export const MAX_TREE_DEPTH = 64;

export interface Node {
  /** The number of layers below. */
  readonly layer: number;
  /** Keys in order. */
  readonly keys: readonly string[];
  /** The CID of the record of each key. */
  readonly values: readonly CidBytes[];
  /** One more than keys: `children[i]` has the keys between `keys[i - 1]` and `keys[i]`. */
  readonly children: readonly (Link | undefined)[];
}

/** The decoded bytes of a node, without its layer. */
export type NodeContent = Omit<Node, 'layer'>;

/**
 * A link to a node. Without `node`, it is not loaded. Without `cid`, it is new, and {@link seal} sets its CID. At least
 * one is set.
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

/** The root of the empty tree. Only this tree may have an empty node. */
export const EMPTY_ROOT: CID = /* @__PURE__ */ parseCid('bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm');

/** The block of {@link EMPTY_ROOT}: `{ "e": [], "l": null }`. */
export const EMPTY_NODE_BYTES: Bytes = /* @__PURE__ */ Uint8Array.of(0xa2, 0x61, 0x65, 0x80, 0x61, 0x6c, 0xf6);

export const EMPTY_NODE: Node = { layer: 0, keys: [], values: [], children: [undefined] };

/** A new empty tree. Sealing it makes its block. */
export const EMPTY_LINK: Link = { cid: undefined, node: EMPTY_NODE };

/** Returns a link to a tree that is not loaded. */
export const linkTo = (root: CID): Link => ({ cid: root.bytes as CidBytes, node: undefined });

/** Returns a link to a new node. */
export const newLink = (node: Node): Link => ({ cid: undefined, node });

export const isEmptyNode = (node: Node): boolean => node.keys.length === 0 && node.children[0] === undefined;

/**
 * Returns a new node.
 * @throws {RepoError} `LimitExceeded` with more than {@link MAX_NODE_ENTRIES} keys, or with more than
 *   {@link MAX_NODE_KEYS_SIZE} bytes of keys, which no reader would accept.
 */
export const createNode = (
  layer: number,
  keys: readonly string[],
  values: readonly CidBytes[],
  children: readonly (Link | undefined)[],
): Node => {
  if (keys.length > MAX_NODE_ENTRIES) {
    throw new RepoError(
      'LimitExceeded',
      `too many keys for one tree node: choose other keys; limit=${MAX_NODE_ENTRIES} key=${keys[0]}`,
    );
  }
  // Nearly every node has too few keys to reach the limit.
  if (
    keys.length > MAX_NODE_KEYS_SIZE / MAX_KEY_LENGTH &&
    keys.reduce((size, key) => size + key.length, 0) > MAX_NODE_KEYS_SIZE
  ) {
    throw new RepoError(
      'LimitExceeded',
      `the keys of one tree node are too long: choose shorter keys; limit=${MAX_NODE_KEYS_SIZE} key=${keys[0]}`,
    );
  }
  return { layer, keys, values, children };
};

/**
 * Returns the node of a link.
 * @throws {RepoError} `BlockNotFound` when it is not loaded.
 */
export const nodeOf = (link: Link): Node => {
  if (link.node === undefined) {
    const cid = link.cid === undefined ? 'none' : cidBytesToText(link.cid);
    throw new RepoError('BlockNotFound', `the tree node is not loaded: call loadPaths with the key first; cid=${cid}`);
  }
  return link.node;
};

/** Returns the index of the first key that is not less than `key`, or the number of keys. */
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
