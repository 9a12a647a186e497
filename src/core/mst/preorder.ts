/**
 * Walks a tree in the recommended order of a CAR: a node, then for each key the subtree to its left and its record,
 * then the last subtree. A reader can check each block when it arrives. https://atproto.com/specs/sync
 */
import type { CID, CidBytes } from '../data/cid.ts';
import type { HashAll } from '../data/sha256.ts';
import type { BlockReader } from '../storage/ports.ts';
import type { NamedBlock } from '../blocks/block.ts';
import type { Leaf } from './node.ts';
import type { Subtree } from './read-nodes.ts';
import { readNodes, subtreeAt } from './read-nodes.ts';
import { unfold } from './unfold.ts';

/** A node with its stored bytes, or a key and the CID of its record. */
export type PreorderStep = NamedBlock | Leaf;

/**
 * Yields nodes and leaves in preorder, in non-empty batches. A step with `bytes` is a node.
 *
 * The iteration rejects with `BlockNotFound`; `Corrupt` when stored bytes do not match their CID; `Malformed` when they
 * are not a node.
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
