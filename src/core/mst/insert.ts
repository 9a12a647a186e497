/** Inserts a key into a tree. */
import { equalBytes } from '../data/bytes.ts';
import type { CidBytes } from '../data/cid.ts';
import { assertTreeKey, layerOf } from './key.ts';
import type { Link, Node } from './node.ts';
import { createNode, isEmptyNode, lowerBound, newLink, nodeOf } from './node.ts';

type Halves = readonly [left: Link | undefined, right: Link | undefined];

const linkUnlessEmpty = (node: Node): Link | undefined => (isEmptyNode(node) ? undefined : newLink(node));

/** Splits a subtree at a key that is not in it. Both halves keep the height of the subtree. */
const split = (link: Link | undefined, key: string): Halves => {
  if (link === undefined) {
    return [undefined, undefined];
  }
  const { layer, keys, values, children } = nodeOf(link);
  const index = lowerBound(keys, key);
  const [left, right] = split(children[index], key);
  // At the edge of a node, the node stays unchanged and keeps its CID.
  if (index === keys.length && right === undefined) {
    return [link, undefined];
  }
  if (index === 0 && left === undefined) {
    return [undefined, link];
  }
  return [
    linkUnlessEmpty(
      createNode(layer, keys.slice(0, index), values.slice(0, index), [...children.slice(0, index), left]),
    ),
    linkUnlessEmpty(createNode(layer, keys.slice(index), values.slice(index), [right, ...children.slice(index + 1)])),
  ];
};

/** Wraps a subtree in nodes without keys up to a layer. */
const raise = (link: Link | undefined, layer: number): Link | undefined => {
  let raised = link;
  for (let at = link === undefined ? layer : nodeOf(link).layer; at < layer; at++) {
    raised = newLink(createNode(at + 1, [], [], [raised]));
  }
  return raised;
};

const putHere = (node: Node, index: number, key: string, value: CidBytes): Node => {
  const { layer, keys, values, children } = node;
  if (keys[index] === key) {
    return equalBytes(values[index]!, value) ? node : createNode(layer, keys, values.with(index, value), children);
  }
  return createNode(
    layer,
    keys.toSpliced(index, 0, key),
    values.toSpliced(index, 0, value),
    children.toSpliced(index, 1, ...split(children[index], key)),
  );
};

/** Returns the node with the key in it or below it, or the same node if nothing changes. */
const put = (node: Node, keyLayer: number, key: string, value: CidBytes): Node => {
  const { layer, keys, values, children } = node;
  const index = lowerBound(keys, key);
  if (keyLayer === layer) {
    return putHere(node, index, key, value);
  }
  const child = children[index];
  const below = child === undefined ? createNode(layer - 1, [], [], [undefined]) : nodeOf(child);
  const changed = put(below, keyLayer, key, value);
  return changed === below ? node : createNode(layer, keys, values, children.with(index, newLink(changed)));
};

/**
 * Returns the tree with the value set for the key, or the same link if nothing changes. Never changes the given tree.
 * @throws {RepoError} `Malformed` when the key is not valid; `BlockNotFound` when a node next to the key is not loaded;
 *   `LimitExceeded` when a node would become too large.
 */
export const insert = (root: Link, key: string, value: CidBytes): Link => {
  assertTreeKey(key);
  const layer = layerOf(key);
  const node = nodeOf(root);
  if (isEmptyNode(node)) {
    return newLink(createNode(layer, [key], [value], [undefined, undefined]));
  }
  if (layer <= node.layer) {
    const changed = put(node, layer, key, value);
    return changed === node ? root : newLink(changed);
  }
  const [left, right] = split(root, key);
  return newLink(createNode(layer, [key], [value], [raise(left, layer - 1), raise(right, layer - 1)]));
};
