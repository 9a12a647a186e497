/** Puts a key into a tree. */
import { equalBytes } from '../data/bytes.ts';
import type { CidBytes } from '../data/cid.ts';
import { assertTreeKey, layerOf } from './key.ts';
import type { Link, Node } from './node.ts';
import { createNode, isEmptyNode, lowerBound, newLink, nodeOf } from './node.ts';

type Halves = readonly [left: Link | undefined, right: Link | undefined];

const linkUnlessEmpty = (node: Node): Link | undefined => (isEmptyNode(node) ? undefined : newLink(node));

/** What of a subtree comes before a key that is not in it, and what comes after. Each half is as high as the whole. */
const split = (link: Link | undefined, key: string): Halves => {
  if (link === undefined) {
    return [undefined, undefined];
  }
  const { layer, keys, values, children } = nodeOf(link);
  const index = lowerBound(keys, key);
  const [left, right] = split(children[index], key);
  // A key at the edge leaves the node as it is, with its CID.
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

/** A subtree under as many nodes without keys as it takes to reach a layer. */
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

/** The node with the key in it or below it; the node itself when that changes nothing. */
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
 * The tree with a value for a key: a new one, or in place of the one that it has. The same link when that changes
 * nothing. The tree that was given stays as it is, also when this fails.
 * @throws {RepoError} `Malformed` when the key is none; `BlockNotFound` when a node next to the key was not loaded;
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
