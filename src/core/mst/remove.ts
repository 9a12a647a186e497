/** Takes a key out of a tree. */
import type { Link, Node } from './node.ts';
import { EMPTY_LINK, createNode, isEmptyNode, lowerBound, newLink, nodeOf } from './node.ts';

/** One subtree of two of the same layer that stand side by side, once the key between them is gone. */
const merge = (left: Link | undefined, right: Link | undefined): Link | undefined => {
  if (left === undefined || right === undefined) {
    return left ?? right;
  }
  const a = nodeOf(left);
  const b = nodeOf(right);
  const middle = merge(a.children.at(-1), b.children[0]);
  return newLink(
    createNode(
      a.layer,
      [...a.keys, ...b.keys],
      [...a.values, ...b.values],
      [...a.children.slice(0, -1), middle, ...b.children.slice(1)],
    ),
  );
};

/** The node without the key, perhaps empty; the node itself when the key is not there. */
const take = (node: Node, key: string): Node => {
  const { layer, keys, values, children } = node;
  const index = lowerBound(keys, key);
  if (keys[index] === key) {
    const middle = merge(children[index], children[index + 1]);
    return createNode(
      layer,
      keys.toSpliced(index, 1),
      values.toSpliced(index, 1),
      children.toSpliced(index, 2, middle),
    );
  }
  const child = children[index];
  if (child === undefined) {
    return node;
  }
  const below = nodeOf(child);
  const changed = take(below, key);
  if (changed === below) {
    return node;
  }
  return createNode(layer, keys, values, children.with(index, isEmptyNode(changed) ? undefined : newLink(changed)));
};

/**
 * Returns the highest node that has keys: one without is only there to reach up to its parent. Where a node on the way
 * is not loaded it returns the link to that node, because only its own bytes tell whether it has keys.
 */
const trimTop = (root: Link): Link => {
  let top = root;
  for (let { node } = top; node?.keys.length === 0; { node } = top) {
    const below = node.children[0];
    if (below === undefined) {
      return EMPTY_LINK;
    }
    top = below;
  }
  return top;
};

/**
 * The tree without a key; the same link when it is not there. The tree that was given stays as it is, also when this
 * fails. When the root loses its last key and the node below it is not loaded, the result is the link to that node. It
 * is the root of the new tree if it has keys.
 * @throws {RepoError} `BlockNotFound` when a node next to the key was not loaded; `LimitExceeded` when a node would
 *   become too large.
 */
export const remove = (root: Link, key: string): Link => {
  const node = nodeOf(root);
  const changed = take(node, key);
  return changed === node ? root : trimTop(newLink(changed));
};
