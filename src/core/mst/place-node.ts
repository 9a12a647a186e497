/** Finds the layer of a decoded node. Its first key gives the layer; for a node without keys, its parent does. */
import { RepoError } from '../errors.ts';
import { GET_AGAIN } from './codec.ts';
import type { Node, NodeContent } from './node.ts';
import { MAX_TREE_DEPTH } from './node.ts';

const malformed = (what: string, key?: string): RepoError =>
  new RepoError('Malformed', `not a tree node: ${what}. ${GET_AGAIN}${key === undefined ? '' : `; key=${key}`}`);

/**
 * Returns a node with its layer.
 * @param layer The layer below its parent's. `undefined` for a root. A root without keys but with a child is placed on
 *   layer {@link MAX_TREE_DEPTH}, where its child fails the check.
 * @param own The layer of its first key, if any.
 * @throws {RepoError} `Malformed`; the message describes the fault.
 */
export const placeNode = (content: NodeContent, layer: number | undefined, own: number | undefined): Node => {
  const { keys, values, children } = content;
  const [first] = keys;
  if (first === undefined || own === undefined) {
    return { layer: layerWithoutKeys(content, layer), keys, values, children };
  }
  if (layer !== undefined && layer !== own) {
    throw malformed(`it is on layer ${layer} but has a key of layer ${own}`, first);
  }
  if (own === 0 && children.some((child) => child !== undefined)) {
    throw malformed('it is on layer 0 and has children', first);
  }
  return { layer: own, keys, values, children };
};

/**
 * Returns the layer of a node without keys: from its parent, or the highest layer, so that its child fails the check.
 */
const layerWithoutKeys = (content: NodeContent, layer: number | undefined): number => {
  const empty = content.children[0] === undefined;
  if (layer === undefined) {
    return empty ? 0 : MAX_TREE_DEPTH;
  }
  if (empty || layer <= 0) {
    throw malformed(
      empty
        ? `it has no keys and no child, and is on layer ${layer}, not the root`
        : `it has no keys, and a child below layer 0; layer=${layer}`,
    );
  }
  return layer;
};
