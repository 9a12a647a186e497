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
import { batchesOf, unfold } from './unfold.ts';

/** A node with its stored bytes, or a key and the CID of its record. */
export type PreorderStep = NamedBlock | Leaf;

/** Chooses a part of a tree. */
export interface PreorderFilter {
  /**
   * Returns whether to read a node.
   * @param after The key before its keys, or `undefined` at the beginning of the tree.
   * @param before The key after its keys, or `undefined` at the end of the tree.
   */
  hasNode(cid: CidBytes, after: string | undefined, before: string | undefined): boolean;
  hasKey(key: string): boolean;
}

interface Place extends Subtree {
  readonly after: string | undefined;
  readonly before: string | undefined;
}

const ALL: PreorderFilter = { hasNode: () => true, hasKey: () => true };

/**
 * Yields nodes and leaves in preorder, in non-empty batches. A step with `bytes` is a node.
 *
 * The iteration rejects with `BlockNotFound`; `Corrupt` when stored bytes do not match their CID; `Malformed` when they
 * are not a node.
 * @param filter Which nodes and keys to yield. Default: all.
 */
export async function* walkPreorder(
  blocks: BlockReader,
  root: CID,
  hashAll?: HashAll,
  filter: PreorderFilter = ALL,
): AsyncGenerator<PreorderStep[]> {
  const top: Place = { subtree: root.bytes as CidBytes, layer: undefined, after: undefined, before: undefined };
  if (!filter.hasNode(top.subtree, undefined, undefined)) {
    return;
  }
  const open = async (places: readonly Place[]): Promise<(PreorderStep | Place)[][]> => {
    const read = await readNodes(blocks, places, hashAll);
    return read.map(({ cid, bytes, node }, at) => {
      const { after, before } = places[at]!;
      const steps: (PreorderStep | Place)[] = [{ cid, bytes }];
      for (let i = 0; i < node.children.length; i++) {
        const child = subtreeAt(node, i);
        const bounds = { after: node.keys[i - 1] ?? after, before: node.keys[i] ?? before };
        if (child !== undefined && filter.hasNode(child.subtree, bounds.after, bounds.before)) {
          steps.push({ ...child, ...bounds });
        }
        const key = node.keys[i];
        if (key !== undefined && filter.hasKey(key)) {
          steps.push({ key, value: node.values[i]! });
        }
      }
      return steps;
    });
  };
  yield* unfold<PreorderStep, Place>(top, open, batchesOf(blocks.isDistant));
}
