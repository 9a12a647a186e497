/** Walks the leaves of a tree in key order, from any key in either direction. */
import type { CID, CidBytes } from '../data/cid.ts';
import type { Leaf, Node } from './node.ts';
import type { NodeReader } from './node-reader.ts';
import type { Subtree } from './read-nodes.ts';
import { subtreeAt } from './read-nodes.ts';
import { batchesOf, unfold } from './unfold.ts';

export type { Leaf } from './node.ts';

/** The leaves to walk. Default: all. */
export interface WalkRange {
  /** Only keys greater than this one. */
  readonly after?: string | undefined;
  /** Only keys less than this one. */
  readonly before?: string | undefined;
  /** Only keys with this prefix. For one collection, use `collection/` with the slash. */
  readonly prefix?: string | undefined;
  /** From the last key to the first. */
  readonly reverse?: boolean | undefined;
  /** How many leaves are needed. The walk does not end there, but reads no more ahead. */
  readonly limit?: number | undefined;
}

/** A range: `from` is inclusive, `until` exclusive. */
interface Bounds {
  readonly from: string;
  readonly until: string | undefined;
}

const boundsOf = ({ after, before, prefix }: WalkRange): Bounds => {
  // No text sorts between a text and the same text with a zero appended.
  let from = after === undefined ? '' : `${after}\0`;
  let until = before;
  if (prefix !== undefined && prefix !== '') {
    const last = prefix.length - 1;
    const end = prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
    from = prefix > from ? prefix : from;
    until = until === undefined || end < until ? end : until;
  }
  return { from, until };
};

/** Returns the steps of a node within the bounds, in order. A child at the edge may have no key within them. */
const stepsWithin = (node: Node, { from, until }: Bounds): (Leaf | Subtree)[] => {
  const { keys, values } = node;
  const steps: (Leaf | Subtree)[] = [];
  for (let i = 0; i <= keys.length; i++) {
    const key = keys[i];
    if (key === undefined || key > from) {
      const child = subtreeAt(node, i);
      if (child !== undefined) {
        steps.push(child);
      }
    }
    if (key === undefined || (until !== undefined && key >= until)) {
      break;
    }
    if (key >= from) {
      steps.push({ key, value: values[i]! });
    }
  }
  return steps;
};

/**
 * Yields the leaves of a range in non-empty batches, so that a caller can read the records of a batch at once. The
 * first batches are small. Reads nothing before it is needed.
 *
 * The iteration rejects with `BlockNotFound`, `Corrupt` or `Malformed` when a node cannot be read.
 */
export const walkLeaves = (reader: NodeReader, root: CID, range: WalkRange = {}): AsyncGenerator<Leaf[]> => {
  const bounds = boundsOf(range);
  const open = async (subtrees: readonly Subtree[]): Promise<(Leaf | Subtree)[][]> => {
    const nodes = await reader.nodes(subtrees);
    return nodes.map((node) => {
      const steps = stepsWithin(node, bounds);
      return range.reverse === true ? steps.reverse() : steps;
    });
  };
  const top: Subtree = { subtree: root.bytes as CidBytes, layer: undefined };
  return unfold<Leaf, Subtree>(top, open, batchesOf(reader.isDistant, range.limit));
};
