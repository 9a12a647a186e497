/** Builds a tree from keys that come in order, from left to right, holding no more than its right edge. */
import type { Bytes } from '../bytes.ts';
import type { CidBytes } from '../cid.ts';
import { dagCborCidAt } from '../cid.ts';
import { RepoError } from '../errors.ts';
import type { HashAll } from '../sha256.ts';
import { hashAll as hashOneByOne } from '../sha256.ts';
import { encodeNode } from './codec.ts';
import { assertTreeKey, layerOf, layersOf } from './key.ts';
import type { Link } from './node.ts';
import { EMPTY_NODE, createNode } from './node.ts';

/** Keys and nodes that wait for each other where they are hashed together. Nodes of so many take some 200 kB. */
const BATCH = 512;

export interface TreeBuilderOptions {
  /** Hashes keys and nodes, several hundred at a time; a few more of them are held then. One by one when left out. */
  readonly hashAll?: HashAll | undefined;
}

export interface TreeBuilder {
  /**
   * Adds a key, which has to come after all before it.
   * @param layer The key's layer, where it is known already: of a key that comes out of another tree, which is not looked at again.
   * @throws {RepoError} `Malformed` when it does not, or is no key; `LimitExceeded` when a node would become too large,
   *   here or later.
   */
  add(key: string, value: CidBytes, layer?: number): void;
  /** Ends the tree and answers its root. The builder is of no more use. */
  finish(): CidBytes;
}

/** A link whose node is complete, and gets its CID when its turn to be hashed comes. */
interface OpenLink extends Link {
  cid: CidBytes | undefined;
}

/** A node to whose right there may be more. `children` has no child right of the last key yet; `last` is to be it. */
interface Edge {
  readonly keys: string[];
  readonly values: CidBytes[];
  readonly children: (Link | undefined)[];
  last: Link | undefined;
}

/** A node that is complete and has no CID yet. */
interface Complete extends Edge {
  readonly layer: number;
  readonly link: OpenLink;
}

const newEdge = (): Edge => ({ keys: [], values: [], children: [], last: undefined });

/**
 * A builder for one tree.
 * @param onNode Is given each node when it is done, children before parents. The bytes are the callee's to keep.
 */
export const createTreeBuilder = (
  onNode: (cid: CidBytes, bytes: Bytes) => void = () => undefined,
  { hashAll }: TreeBuilderOptions = {},
): TreeBuilder => {
  const batch = hashAll === undefined ? 1 : BATCH;
  const hash = hashAll ?? hashOneByOne;
  // The right edge by layer, from the lowest; what is complete, in the same way.
  const edges: Edge[] = [];
  const complete: Complete[][] = [];
  let waiting = 0;
  // Keys whose layer is not known yet.
  let unplaced: { readonly key: string; readonly value: CidBytes }[] = [];
  let before = '';

  const edgeAt = (layer: number): Edge => {
    while (edges.length <= layer) {
      edges.push(newEdge());
      complete.push([]);
    }
    return edges[layer]!;
  };

  /** Encodes and hashes what is complete, a layer at a time, so that the nodes above find the CIDs of those below. */
  const name = (): void => {
    for (const nodes of complete) {
      if (nodes.length === 0) {
        continue;
      }
      const blocks = nodes.map(({ layer, keys, values, children, last }) => encodeNode(createNode(layer, keys, values, [...children, last])));
      const digests = hash(blocks);
      for (const [i, { link }] of nodes.entries()) {
        const cid = dagCborCidAt(digests, i);
        link.cid = cid;
        onNode(cid, blocks[i]!);
      }
      nodes.length = 0;
    }
    waiting = 0;
  };

  /** Ends the node on a layer, if there is anything in it, and begins another one there. */
  const close = (layer: number): Link | undefined => {
    const edge = edgeAt(layer);
    if (edge.keys.length === 0 && edge.last === undefined) {
      return undefined;
    }
    edges[layer] = newEdge();
    const link: OpenLink = { cid: undefined, node: undefined };
    complete[layer]!.push({ layer, link, ...edge });
    waiting += 1;
    if (waiting >= batch) {
      name();
    }
    return link;
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

  const place = (key: string, value: CidBytes, layer: number): void => {
    closeBelow(layer);
    const edge = edgeAt(layer);
    edge.keys.push(key);
    edge.values.push(value);
    edge.children.push(edge.last);
    edge.last = undefined;
  };

  const placeAll = (): void => {
    const layers = layersOf(unplaced.map(({ key }) => key), hash);
    for (const [i, { key, value }] of unplaced.entries()) {
      place(key, value, layers[i]!);
    }
    unplaced = [];
  };

  return {
    add(key, value, layer) {
      if (layer === undefined) {
        assertTreeKey(key);
      }
      if (key <= before) {
        throw new RepoError('Malformed', `keys are not in order; key=${key} before=${before}`);
      }
      before = key;
      if (layer !== undefined && unplaced.length === 0) {
        place(key, value, layer);
      } else if (hashAll === undefined) {
        place(key, value, layerOf(key));
      } else {
        unplaced.push({ key, value });
        if (unplaced.length >= batch) {
          placeAll();
        }
      }
    },
    finish() {
      placeAll();
      if (edges.length === 0) {
        const bytes = encodeNode(EMPTY_NODE);
        const cid = dagCborCidAt(hash([bytes]), 0);
        onNode(cid, bytes);
        return cid;
      }
      // The highest layer has a key, for nothing else makes a layer.
      const top = edges.length - 1;
      closeBelow(top);
      const root = close(top);
      name();
      return root!.cid!;
    },
  };
};
