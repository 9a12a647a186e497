/**
 * The whole of a tree in the order in which a CAR is best written: a node, then for each of its keys the subtree to the
 * left and the record, at last the subtree to the right. Whoever reads along can check each block as it comes.
 * https://atproto.com/specs/sync
 */
import type { CID, CidBytes } from '../data/cid.ts';
import type { HashAll } from '../data/sha256.ts';
import type { BlockReader } from '../storage/ports.ts';
import type { NamedBlock } from '../blocks/block.ts';
import type { Leaf } from './node.ts';
import type { Subtree } from './read-nodes.ts';
import { readNodes, subtreeAt } from './read-nodes.ts';
import { unfold } from './unfold.ts';

/** A node with its bytes as they are stored, or a key and the CID of its record. */
export type PreorderStep = NamedBlock | Leaf;

/**
 * Nodes and leaves in preorder, in batches that are never empty. A step with `bytes` is a node.
 *
 * Fails, when its turn comes, with `BlockNotFound`; `Corrupt` when stored bytes are not those that their CID names;
 * `Malformed` when they are no node.
 */
export const walkPreorder = (blocks: BlockReader, root: CID, hashAll?: HashAll): AsyncGenerator<PreorderStep[]> =>
  unfold<PreorderStep, Subtree>({ subtree: root.bytes as CidBytes, layer: undefined }, async (subtrees) => {
    const read = await readNodes(blocks, subtrees, hashAll);
    return read.map(({ cid, bytes, node }) => {
      const steps: (PreorderStep | Subtree)[] = [{ cid, bytes }];
      for (let i = 0; i < node.children.length; i++) {
        const child = subtreeAt(node, i);
        if (child !== undefined) {
          steps.push(child);
        }
        const key = node.keys[i];
        if (key !== undefined) {
          steps.push({ key, value: node.values[i]! });
        }
      }
      return steps;
    });
  });
