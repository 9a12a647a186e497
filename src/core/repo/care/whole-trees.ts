/** Finds which trees are complete. Reads each node once, even if several trees share it. */
import type { CID, CidBytes } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError } from '../../errors.ts';
import { MAX_TREE_DEPTH } from '../../mst/node.ts';
import type { Node } from '../../mst/node.ts';
import type { NodeReader } from '../../mst/node-reader.ts';
import type { Subtree } from '../../mst/read-nodes.ts';
import { subtreeAt } from '../../mst/read-nodes.ts';

/**
 * Returns a function that tests whether all nodes and records of a tree are intact.
 * An invalid node gives `false`.
 * @throws the other errors of `nodes`.
 */
export const createIsWhole = (nodes: NodeReader, sound: Pick<CidSet, 'has'>): ((root: CID) => Promise<boolean>) => {
  const [whole, broken] = [createCidSet(), createCidSet()];

  const read = async ({ subtree, layer }: Subtree): Promise<Node | undefined> => {
    try {
      return sound.has(subtree) ? await nodes.node(subtree, layer) : undefined;
    } catch (error) {
      if (!isRepoError(error, 'Malformed')) {
        throw error;
      }
      return undefined;
    }
  };

  const look = async (subtree: Subtree, depth: number): Promise<boolean> => {
    const node = await read(subtree);
    if (node === undefined || depth >= MAX_TREE_DEPTH || !node.values.every((value) => sound.has(value))) {
      return false;
    }
    for (let i = 0; i < node.children.length; i++) {
      const child = subtreeAt(node, i);
      if (child !== undefined && !(await isWhole(child, depth + 1))) {
        return false;
      }
    }
    return true;
  };

  const isWhole = async (subtree: Subtree, depth: number): Promise<boolean> => {
    const cid = subtree.subtree;
    if (whole.has(cid) || broken.has(cid)) {
      return whole.has(cid);
    }
    const result = await look(subtree, depth);
    (result ? whole : broken).add(cid);
    return result;
  };

  return (root) => isWhole({ subtree: root.bytes as CidBytes, layer: undefined }, 0);
};
