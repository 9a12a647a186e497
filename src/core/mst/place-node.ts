/** Where a node hangs in its tree. Its bytes do not say: its keys do, and where it has none, its parent. */
import { RepoError } from '../errors.ts';
import type { Node, NodeContent } from './node.ts';
import { MAX_TREE_DEPTH } from './node.ts';

const malformed = (what: string): RepoError => new RepoError('Malformed', `not a tree node: ${what}`);

/**
 * A node from what its bytes say.
 * @param layer Where the node hangs, one less than its parent's. Left out for a root, which tells it by its keys; a
 *   root without keys over other nodes is put on layer {@link MAX_TREE_DEPTH}, which no child of it can confirm.
 * @param own The layer of its first key, if it has keys.
 * @throws {RepoError} `Malformed`, naming what is wrong.
 */
export const placeNode = (content: NodeContent, layer: number | undefined, own: number | undefined): Node => {
  const { keys, values, children } = content;
  const [first] = keys;
  if (first === undefined || own === undefined) {
    return { layer: layerWithoutKeys(content, layer), keys, values, children };
  }
  if (layer !== undefined && layer !== own) {
    throw malformed(`it hangs on layer ${layer} with a key of layer ${own}; key=${first}`);
  }
  if (own === 0 && children.some((child) => child !== undefined)) {
    throw malformed(`it is on layer 0 and has children; key=${first}`);
  }
  return { layer: own, keys, values, children };
};

/**
 * Without keys only the parent tells the layer. Where nobody asked the parent it is the highest, so that a child
 * contradicts.
 */
const layerWithoutKeys = (content: NodeContent, layer: number | undefined): number => {
  const empty = content.children[0] === undefined;
  if (layer === undefined) {
    return empty ? 0 : MAX_TREE_DEPTH;
  }
  if (empty || layer <= 0) {
    throw malformed(
      `it has no keys, ${empty ? 'nothing below it, and is not a root' : 'and no layer below it'}; layer=${layer}`,
    );
  }
  return layer;
};
