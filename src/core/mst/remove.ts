/** Removes a key from a tree. */
import type { Link, Node } from './node.ts';
import { EMPTY_LINK, createNode, isEmptyNode, lowerBound, newLink, nodeOf } from './node.ts';

/** Merges two adjacent subtrees of the same layer after the key between them was removed. */
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

/** Returns the node without the key, or the same node if the key is absent. The result may be empty. */
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
 * Returns the highest node with keys. A node without keys is needed only below a parent. If a node on the path is not
 * loaded, returns the link to it, because only its bytes show whether it has keys.
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
 * Returns the tree without the key, or the same link if the key is absent. Never changes the given tree. When the root
 * loses its last key and the node below it is not loaded, the result is the link to that node. It is the root of the
 * new tree if it has keys.
 * @throws {RepoError} `BlockNotFound` when a node next to the key is not loaded; `LimitExceeded` when a node would
 *   become too large.
 */
export const remove = (root: Link, key: string): Link => {
  const node = nodeOf(root);
  const changed = take(node, key);
  return changed === node ? root : trimTop(newLink(changed));
};
