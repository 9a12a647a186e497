/** Nodes out of a store and a bounded cache. */
import type { CidBytes } from '../data/cid.ts';
import type { CidSet } from '../data/cid-set.ts';
import type { HashAll } from '../data/sha256.ts';
import type { BlockReader } from '../storage/ports.ts';
import type { NamedNode, Node } from './node.ts';
import { NodeBudget, NodeCache } from './node-cache.ts';
import type { Subtree } from './read-nodes.ts';
import { readNodes } from './read-nodes.ts';

/**
 * Nodes above the lowest layer that are kept decoded: all of a repository of 100,000 records. A node of four keys takes
 * about 2 kB, so that a full cache is some 24 MB.
 */
export const NODE_CACHE_CAPACITY = 12_288;
/** The same on the lowest layer. */
const LOWEST_CACHE_CAPACITY = 2048;

export interface NodeReaderOptions {
  /**
   * How many nodes to keep decoded of either kind, an odd number rounded up; {@link NODE_CACHE_CAPACITY} when left out.
   * 0 keeps none.
   */
  readonly capacity?: number | undefined;
  /** Bounds the bytes of the nodes that are kept, here and in other readers with the same budget. */
  readonly budget?: NodeBudget | undefined;
  /** Hashes nodes that are read, many at a time; one by one when left out. */
  readonly hashAll?: HashAll | undefined;
  /** CIDs whose blocks were hashed a moment ago; those are not hashed again. */
  readonly hashed?: Pick<CidSet, 'has'> | undefined;
}

/** Where trees are read from. The nodes it answers are shared and must not be changed. */
export interface NodeReader {
  /** Takes nodes that were made here into the cache, once they are stored. */
  learn(nodes: readonly NamedNode[]): void;
  /** A node that is in the cache, at once, so that a walk waits for nothing that is here. */
  known(cid: CidBytes, layer?: number): Node | undefined;
  /**
   * A node.
   * @param layer The layer that its parent promises; left out for a root, or where it does not matter. Only a node
   *   without keys needs it: without one it is put on the highest layer, which no child of it can confirm.
   * @throws {RepoError} `BlockNotFound`; `Corrupt` when the bytes are not those that the CID names; `Malformed` when
   *   they are no node, or none of that layer.
   */
  node(cid: CidBytes, layer?: number): Promise<Node>;
  /** The same for many, in their order, with one request to the store for those that are not in the cache. */
  nodes(subtrees: readonly Subtree[]): Promise<Node[]>;
  /** Empties the cache. */
  clear(): void;
  /** A reader with the same cache, which reads from other blocks. */
  over(blocks: BlockReader): NodeReader;
}

/** Whether a node that is known may hang on a layer. One without keys cannot tell, so it is read again. */
const fits = (node: Node, layer: number | undefined): boolean =>
  node.layer === layer || (layer === undefined && node.keys.length > 0);

export const createNodeReader = (blocks: BlockReader, options: NodeReaderOptions = {}): NodeReader => {
  const {
    capacity = NODE_CACHE_CAPACITY,
    budget = new NodeBudget(Number.POSITIVE_INFINITY),
    hashAll,
    hashed,
  } = options;
  // Apart from each other: most nodes are on the lowest layer, where few are met twice, and would push out those above.
  const inner = new NodeCache(capacity, budget);
  const lowest = new NodeCache(Math.min(capacity, LOWEST_CACHE_CAPACITY), budget);

  const keep = ({ cid, node }: NamedNode): void => (node.layer === 0 ? lowest : inner).set(cid, node);

  const known = (cid: CidBytes, layer?: number): Node | undefined => {
    const node = layer === 0 ? lowest.get(cid) : (inner.get(cid) ?? lowest.get(cid));
    return node !== undefined && fits(node, layer) ? node : undefined;
  };

  const read = async (from: BlockReader, subtrees: readonly Subtree[]): Promise<Node[]> => {
    const answer: Node[] = [];
    const absent: number[] = [];
    for (const [i, { subtree, layer }] of subtrees.entries()) {
      const node = known(subtree, layer);
      if (node === undefined) {
        absent.push(i);
      } else {
        answer[i] = node;
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
        answer[absent[j]!] = block.node;
      }
    }
    return answer;
  };

  const learn = (made: readonly NamedNode[]): void => {
    for (const { cid, node } of made) {
      // Without what lies below, which the cache may let go of.
      keep({
        cid,
        node: { ...node, children: node.children.map((child) => child && { cid: child.cid, node: undefined }) },
      });
    }
  };

  const over = (from: BlockReader): NodeReader => ({
    learn,
    known,
    async node(cid, layer) {
      const [node] = await read(from, [{ subtree: cid, layer }]);
      return node!;
    },
    nodes: (subtrees) => read(from, subtrees),
    over,
    clear() {
      inner.clear();
      lowest.clear();
    },
  });

  return over(blocks);
};
