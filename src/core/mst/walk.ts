/** The leaves of a tree in the order of their keys, from any key in either direction. */
import type { CID, CidBytes } from '../data/cid.ts';
import type { Leaf, Node } from './node.ts';
import type { NodeReader } from './node-reader.ts';
import type { Subtree } from './read-nodes.ts';
import { subtreeAt } from './read-nodes.ts';
import { unfold } from './unfold.ts';

export type { Leaf } from './node.ts';

/** Which leaves to walk; all of them when nothing is said. */
export interface WalkRange {
  /** Only keys greater than this one. */
  readonly after?: string | undefined;
  /** Only keys less than this one. */
  readonly before?: string | undefined;
  /** Only keys that begin with this; `collection/` with its slash for one collection. */
  readonly prefix?: string | undefined;
  /** From the last key to the first. */
  readonly reverse?: boolean | undefined;
}

/** From `from`, which is in it, up to `until`, which is not. */
interface Bounds {
  readonly from: string;
  readonly until: string | undefined;
}

const boundsOf = ({ after, before, prefix }: WalkRange): Bounds => {
  // Nothing lies between a text and the same text with a zero at its end.
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

/** What of a node lies within the bounds, in order. A child at the edge may turn out to have nothing there. */
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
 * The leaves of a range, in batches that are never empty. A batch is for reading its records at once; the first ones
 * are small, and nothing is read for batches that nobody asks for.
 *
 * Fails, when its turn comes, with what the reader throws: `BlockNotFound`, `Corrupt`, `Malformed`.
 */
export const walkLeaves = (reader: NodeReader, root: CID, range: WalkRange = {}): AsyncGenerator<Leaf[]> => {
  const bounds = boundsOf(range);
  return unfold<Leaf, Subtree>({ subtree: root.bytes as CidBytes, layer: undefined }, async (subtrees) => {
    const nodes = await reader.nodes(subtrees);
    return nodes.map((node) => {
      const steps = stepsWithin(node, bounds);
      return range.reverse === true ? steps.reverse() : steps;
    });
  });
};
