/** Reads nodes through bounded caches. */
import { CacheBudget, CidCache } from '../blocks/cid-cache.ts';
import type { CidBytes } from '../data/cid.ts';
import { detached } from '../data/bytes.ts';
import type { CidSet } from '../data/cid-set.ts';
import type { HashAll } from '../data/sha256.ts';
import type { BlockReader } from '../storage/ports.ts';
import { decodeContent } from './codec.ts';
import type { NamedNode, Node } from './node.ts';
import type { NodeBlock, Subtree } from './read-nodes.ts';
import { readNodes } from './read-nodes.ts';

/**
 * Cached nodes above the lowest layer: all of a repository of 100,000 records. A node of four keys takes about 2 kB, so
 * a full cache has about 24 MB.
 */
export const NODE_CACHE_CAPACITY = 12_288;
/** Decoded nodes of the lowest layer. */
const LOWEST_CACHE_CAPACITY = 2048;
/**
 * Cached blocks of the lowest layer for each cached node above it. They were read one by one, and their hashes checked.
 * Three quarters of all nodes are on this layer: the blocks of 100,000 records take 11 MB here, and their decoded nodes
 * three times as much. A walk reads many nodes at once, and seldom the same again: it would only copy their blocks.
 */
const BLOCKS_PER_NODE = 6;
/** A larger block is not cached. */
const MAX_CACHED_BLOCK = 4096;

/** Bytes that V8 uses for the parts of a node, measured over 100,000 nodes and rounded up. */
const NODE_OVERHEAD = 300;
const KEY_OVERHEAD = 200;
const CHILD_OVERHEAD = 180;
const BLOCK_OVERHEAD = 250;

/** Returns the estimated bytes of a node in memory. */
export const sizeOfNode = ({ layer, keys, children }: Node): number => {
  let size = NODE_OVERHEAD + KEY_OVERHEAD * keys.length + (layer === 0 ? 8 : CHILD_OVERHEAD) * children.length;
  for (const key of keys) {
    size += key.length;
  }
  return size;
};

export interface NodeReaderOptions {
  /**
   * Most cached nodes per cache; an odd number is rounded up. Default: {@link NODE_CACHE_CAPACITY}. 0 disables the
   * cache.
   */
  readonly capacity?: number | undefined;
  /** Bounds the bytes of cached nodes of all readers with this budget. */
  readonly budget?: CacheBudget | undefined;
  /** Hashes nodes in batches. Default: one by one. */
  readonly hashAll?: HashAll | undefined;
  /** CIDs whose blocks are already hashed. They are not hashed again. */
  readonly hashed?: Pick<CidSet, 'has'> | undefined;
}

/** Reads trees. Returned nodes are shared; do not change them. */
export interface NodeReader {
  /** Whether a node that is not cached takes a round trip to another machine. */
  readonly isDistant: boolean;
  /** Inserts new nodes into the cache. Call it after they are stored. */
  insert(nodes: readonly NamedNode[]): void;
  /** Returns a node from the caches, synchronously, or `undefined`. */
  cached(cid: CidBytes, layer?: number): Node | undefined;
  /**
   * Reads a node.
   * @param layer The layer below its parent's. Omit it for a root. Only a node without keys needs it: without it, the
   *   node is placed on the highest layer, and its child then fails the check.
   * @throws {RepoError} `BlockNotFound`; `Corrupt` when the bytes do not match the CID; `Malformed` when they are not a
   *   node, or not of that layer.
   */
  node(cid: CidBytes, layer?: number): Promise<Node>;
  /** Reads many nodes, in order, with one request to the store for nodes that are not cached. */
  nodes(subtrees: readonly Subtree[]): Promise<Node[]>;
  /** Empties the caches. */
  clear(): void;
  /** Returns a reader of other blocks with the same caches. */
  over(blocks: BlockReader): NodeReader;
}

/**
 * Returns whether a cached node is of this layer. A node without keys is read again, because its keys do not give its
 * layer.
 */
const fits = (node: Node, layer: number | undefined): boolean =>
  node.layer === layer || (layer === undefined && node.keys.length > 0);

export const createNodeReader = (blocks: BlockReader, options: NodeReaderOptions = {}): NodeReader => {
  const {
    capacity = NODE_CACHE_CAPACITY,
    budget = new CacheBudget(Number.POSITIVE_INFINITY),
    hashAll,
    hashed,
  } = options;
  // Caches of their own: most nodes are on the lowest layer, and would evict the nodes above.
  const inner = new CidCache<Node>(capacity, budget);
  const lowest = new CidCache<Node>(Math.min(capacity, LOWEST_CACHE_CAPACITY), budget);

  const lowestBlocks = new CidCache<Uint8Array>(BLOCKS_PER_NODE * capacity, budget);

  const keep = ({ cid, node }: NamedNode): void => (node.layer === 0 ? lowest : inner).set(cid, node, sizeOfNode(node));

  const keepBlock = ({ cid, node, bytes }: NodeBlock): void => {
    if (node.layer === 0 && node.keys.length > 0 && bytes.length <= MAX_CACHED_BLOCK) {
      lowestBlocks.set(cid, detached(bytes), bytes.length + BLOCK_OVERHEAD);
    }
  };

  const lowestNode = (cid: CidBytes): Node | undefined => {
    const known = lowest.get(cid);
    const bytes = known === undefined ? lowestBlocks.get(cid) : undefined;
    if (bytes === undefined) {
      return known;
    }
    // Its hash and its layer were checked before it was cached.
    const node = { layer: 0, ...decodeContent(bytes) };
    keep({ cid, node });
    return node;
  };

  const cached = (cid: CidBytes, layer?: number): Node | undefined => {
    const node = layer === 0 ? lowestNode(cid) : (inner.get(cid) ?? lowestNode(cid));
    return node !== undefined && fits(node, layer) ? node : undefined;
  };

  const read = async (from: BlockReader, subtrees: readonly Subtree[]): Promise<Node[]> => {
    const result: Node[] = [];
    const absent: number[] = [];
    for (const [i, { subtree, layer }] of subtrees.entries()) {
      const node = cached(subtree, layer);
      if (node === undefined) {
        absent.push(i);
      } else {
        result[i] = node;
      }
    }
    if (absent.length > 0) {
      const found = await readNodes(
        from,
        absent.map((i) => subtrees[i]!),
        hashAll,
        hashed,
      );
      for (const [j, block] of found.entries()) {
        keep(block);
        if (subtrees.length === 1) {
          keepBlock(block);
        }
        result[absent[j]!] = block.node;
      }
    }
    return result;
  };

  const insert = (made: readonly NamedNode[]): void => {
    for (const { cid, node } of made) {
      // Without loaded children, because the cache may evict them.
      keep({
        cid,
        node: { ...node, children: node.children.map((child) => child && { cid: child.cid, node: undefined }) },
      });
    }
  };

  const over = (from: BlockReader): NodeReader => ({
    isDistant: from.isDistant === true,
    insert,
    cached,
    async node(cid, layer) {
      const [node] = await read(from, [{ subtree: cid, layer }]);
      return node!;
    },
    nodes: (subtrees) => read(from, subtrees),
    over,
    clear() {
      inner.clear();
      lowest.clear();
      lowestBlocks.clear();
    },
  });

  return over(blocks);
};
