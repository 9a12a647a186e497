/** Loads the nodes that an edit needs: every node next to one of the keys, and no others. */
import type { Link, Node } from './node.ts';
import { lowerBound } from './node.ts';
import type { NodeReader } from './node-reader.ts';

export interface LoadOptions {
  /**
   * Also loads the nodes on both sides of a present key, which `remove` merges. Default: `true`. With `false`, loads
   * only the path to each key, for lookups.
   */
  readonly neighbours?: boolean | undefined;
}

/** A link to load: its index among its siblings, and the keys that lead there. */
interface Opening {
  readonly link: Link;
  readonly siblings: (Link | undefined)[];
  readonly index: number;
  readonly keys: readonly string[];
}

/** Groups keys by the child next to them. Keys are in order, so groups are too. */
const groupByChild = (node: Node, keys: readonly string[], neighbours: boolean): Map<number, string[]> => {
  const groups = new Map<number, string[]>();
  const add = (index: number, key: string): void => {
    const group = groups.get(index);
    if (group === undefined) {
      groups.set(index, [key]);
    } else {
      group.push(key);
    }
  };
  for (const key of keys) {
    const index = lowerBound(node.keys, key);
    const here = node.keys[index] === key;
    if (!here || neighbours) {
      add(index, key);
    }
    if (here && neighbours) {
      add(index + 1, key);
    }
  }
  return groups;
};

/**
 * Returns the same tree with the nodes next to `keys` loaded, with one read per level. Any sequence of inserts and
 * removes of these keys works on it. Keys may be absent from the tree.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`, `Malformed`: errors of the reader.
 */
export const loadPaths = async (
  reader: NodeReader,
  root: Link,
  keys: readonly string[],
  options: LoadOptions = {},
): Promise<Link> => {
  const { neighbours = true } = options;
  const top: (Link | undefined)[] = [root];
  let openings: Opening[] = [{ link: root, siblings: top, index: 0, keys: [...new Set(keys)].sort() }];
  let layer: number | undefined;
  while (openings.length > 0) {
    const unread = openings.filter(({ link }) => link.node === undefined);
    // All nodes of a level have the same layer.
    const read =
      unread.length === 0 ? [] : await reader.nodes(unread.map(({ link }) => ({ subtree: link.cid!, layer })));
    const below: Opening[] = [];
    let next = 0;
    for (const { link, siblings, index, keys: wanted } of openings) {
      const node = link.node ?? read[next++]!;
      const children = [...node.children];
      siblings[index] = { cid: link.cid, node: { ...node, children } };
      for (const [i, group] of groupByChild(node, wanted, neighbours)) {
        const child = children[i];
        if (child !== undefined) {
          below.push({ link: child, siblings: children, index: i, keys: group });
        }
      }
      layer = node.layer - 1;
    }
    openings = below;
  }
  return top[0]!;
};
