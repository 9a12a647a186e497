/** Builds a tree from keys that come in order, from left to right, holding no more than its right edge. */
import type { CidBytes } from '../cid.ts';
import { cidBytesOf } from '../cid.ts';
import type { Bytes } from '../bytes.ts';
import { RepoError } from '../errors.ts';
import { encodeNode } from './codec.ts';
import { assertTreeKey, layerOf } from './key.ts';
import type { Link } from './node.ts';
import { EMPTY_NODE, createNode } from './node.ts';

export interface TreeBuilder {
  /**
   * Adds a key, which has to come after all before it.
   * @param layer The key's layer, where it is known already.
   * @throws {RepoError} `Malformed` when it does not, or is no key; `LimitExceeded` when a node would become too large.
   */
  add(key: string, value: CidBytes, layer?: number): void;
  /** Ends the tree and answers its root. The builder is of no more use. */
  finish(): CidBytes;
}

/** A node to whose right there may be more. `children` has no child right of the last key yet; `last` is to be it. */
interface Edge {
  readonly keys: string[];
  readonly values: CidBytes[];
  readonly children: (Link | undefined)[];
  last: Link | undefined;
}

/**
 * A builder for one tree.
 * @param onNode Is given each node when it is done, children before parents. The bytes are the callee's to keep.
 */
export const createTreeBuilder = (onNode: (cid: CidBytes, bytes: Bytes) => void = () => undefined): TreeBuilder => {
  // The right edge by layer, from the lowest.
  const edges: Edge[] = [];
  let before = '';

  const edgeAt = (layer: number): Edge => {
    while (edges.length <= layer) {
      edges.push({ keys: [], values: [], children: [], last: undefined });
    }
    return edges[layer]!;
  };

  const emit = (bytes: Bytes): CidBytes => {
    const cid = cidBytesOf(bytes);
    onNode(cid, bytes);
    return cid;
  };

  /** Ends the node on a layer, if there is anything in it, and begins another one there. */
  const close = (layer: number): Link | undefined => {
    const { keys, values, children, last } = edgeAt(layer);
    if (keys.length === 0 && last === undefined) {
      return undefined;
    }
    edges[layer] = { keys: [], values: [], children: [], last: undefined };
    return { cid: emit(encodeNode(createNode(layer, keys, values, [...children, last]))), node: undefined };
  };

  /** Ends all nodes below a layer; each becomes the last child of the one above. */
  const closeBelow = (layer: number): void => {
    for (let at = 0; at < layer; at++) {
      const link = close(at);
      if (link !== undefined) {
        edgeAt(at + 1).last = link;
      }
    }
  };

  return {
    add(key, value, layer = layerOf(key)) {
      assertTreeKey(key);
      if (key <= before) {
        throw new RepoError('Malformed', `keys are not in order; key=${key} before=${before}`);
      }
      before = key;
      closeBelow(layer);
      const edge = edgeAt(layer);
      edge.keys.push(key);
      edge.values.push(value);
      edge.children.push(edge.last);
      edge.last = undefined;
    },
    finish() {
      if (edges.length === 0) {
        return emit(encodeNode(EMPTY_NODE));
      }
      // The highest layer has a key, for nothing else makes a layer.
      const top = edges.length - 1;
      closeBelow(top);
      return close(top)!.cid!;
    },
  };
};
