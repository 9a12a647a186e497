/** Nodes out of a store and a bounded cache. */
import type { CidBytes } from '../cid.ts';
import { cidBytesToText } from '../cid.ts';
import type { HashAll } from '../sha256.ts';
import type { BlockReader } from '../store.ts';
import type { Node } from './node.ts';
import type { Subtree } from './read-nodes.ts';
import { readNodes } from './read-nodes.ts';

/** Nodes that are kept decoded. A node of four keys takes about 2 kB, so that a full cache is some 8 MB. */
export const NODE_CACHE_CAPACITY = 4096;

export interface NodeReaderOptions {
  /** How many nodes to keep decoded, an odd one rounded up; {@link NODE_CACHE_CAPACITY} when left out. 0 keeps none. */
  readonly capacity?: number | undefined;
  /** Hashes nodes that are read, many at a time; one by one when left out. */
  readonly hashAll?: HashAll | undefined;
}

/** Where trees are read from. The nodes it answers are shared and must not be changed. */
export interface NodeReader {
  /**
   * A node.
   * @param layer The layer that its parent promises; left out for a root, or where it does not matter. Only a node without
   *   keys needs it: without one it is put on the highest layer, which no child of it can confirm.
   * @throws {RepoError} `BlockNotFound`; `Corrupt` when the bytes are not those that the CID names; `Malformed` when they
   *   are no node, or none of that layer.
   */
  node(cid: CidBytes, layer?: number): Promise<Node>;
  /** The same for many, in their order, with one request to the store for those that are not in the cache. */
  nodes(subtrees: readonly Subtree[]): Promise<Node[]>;
}

/** Whether a node that is known may hang on a layer. One without keys cannot tell, so it is read again. */
const fits = (node: Node, layer: number | undefined): boolean =>
  node.layer === layer || (layer === undefined && node.keys.length > 0);

export const createNodeReader = (blocks: BlockReader, options: NodeReaderOptions = {}): NodeReader => {
  const { capacity = NODE_CACHE_CAPACITY, hashAll } = options;
  // Two generations: when the young one is full it becomes the old one, and what was not used since is dropped. A single
  // map that drops its first entry each time took eight times as long: it steps over the holes that earlier ones left.
  const generation = Math.ceil(capacity / 2);
  let young = new Map<string, Node>();
  let old = new Map<string, Node>();

  const keep = (text: string, node: Node): void => {
    if (generation === 0) {
      return;
    }
    if (young.size >= generation) {
      old = young;
      young = new Map();
    }
    young.set(text, node);
  };

  const recall = (text: string): Node | undefined => {
    const recent = young.get(text);
    if (recent !== undefined) {
      return recent;
    }
    const node = old.get(text);
    if (node !== undefined) {
      keep(text, node);
    }
    return node;
  };

  const nodes = async (subtrees: readonly Subtree[]): Promise<Node[]> => {
    const answer: Node[] = [];
    const texts = subtrees.map(({ subtree }) => cidBytesToText(subtree));
    const absent: number[] = [];
    for (const [i, text] of texts.entries()) {
      const node = recall(text);
      if (node === undefined || !fits(node, subtrees[i]!.layer)) {
        absent.push(i);
      } else {
        answer[i] = node;
      }
    }
    if (absent.length > 0) {
      const read = await readNodes(blocks, absent.map((i) => subtrees[i]!), hashAll);
      for (const [j, { node }] of read.entries()) {
        const i = absent[j]!;
        keep(texts[i]!, node);
        answer[i] = node;
      }
    }
    return answer;
  };

  return {
    async node(cid, layer) {
      const [node] = await nodes([{ subtree: cid, layer }]);
      return node!;
    },
    nodes,
  };
};
