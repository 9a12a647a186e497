/** Brings into memory what an edit needs: every node that lies next to one of the keys, and no other. */
import type { Link, Node } from './node.ts';
import { lowerBound } from './node.ts';
import type { NodeReader } from './node-reader.ts';

export interface LoadOptions {
  /**
   * Also the nodes on both sides of a key that is there, which removing it merges: `true` when left out. Without them
   * it is the path to each key, which is what finding it needs.
   */
  readonly neighbours?: boolean | undefined;
}

/** A link to be filled in: which place of which new node, and the keys that lead there. */
interface Opening {
  readonly link: Link;
  readonly siblings: (Link | undefined)[];
  readonly index: number;
  readonly keys: readonly string[];
}

/** For each child that lies next to a key, the child's index and those keys. Keys are in order, so groups are too. */
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
 * The same tree with the nodes next to `keys` loaded, level by level with one read each. Any sequence of inserts and
 * removes of these keys finds in it what it needs. Keys that are not in the tree are welcome.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`, `Malformed`, as the reader does.
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
    // All nodes of one level are of one layer.
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
