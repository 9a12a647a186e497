/** Builds a tree from keys that come in order, from left to right, holding no more than its right edge. */
import type { Bytes } from '../data/bytes.ts';
import { copyBytes } from '../data/bytes.ts';
import type { CidBytes } from '../data/cid.ts';
import { dagCborCidAt } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne } from '../data/sha256.ts';
import { encodeNode, roomFor, writeNode } from './codec.ts';
import { assertTreeKey, layerOf, layersOf } from './key.ts';
import type { Link, Node } from './node.ts';
import { EMPTY_NODE, createNode } from './node.ts';

/**
 * Keys and nodes that wait for each other where they are hashed together. With eight times as many they lived long
 * enough for the garbage collector to move them, which took a quarter of the time of checking a tree.
 */
const BATCH = 64;
/** Bytes of nodes that are written, and hashed, together. One that is larger is by itself. */
const ARENA_SIZE: number = 64 * 1024;

export interface TreeBuilderOptions {
  /** Hashes keys and nodes, many at a time; a few more of them are held then. One by one when left out. */
  readonly hashAll?: HashAll | undefined;
}

export interface TreeBuilder {
  /**
   * Adds a key, which has to come after all before it.
   * @param layer The key's layer, where it is known already: of a key that comes out of another tree, which is not
   *   looked at again.
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
interface Complete {
  readonly node: Node;
  readonly link: OpenLink;
}

const newEdge = (): Edge => ({ keys: [], values: [], children: [], last: undefined });

/**
 * A builder for one tree.
 * @param onNode Is given each node when it is done, children before parents. The bytes are the callee's to keep.
 */
export const createTreeBuilder = (
  onNode?: (cid: CidBytes, bytes: Bytes) => void,
  { hashAll }: TreeBuilderOptions = {},
): TreeBuilder => {
  const batch = hashAll === undefined ? 1 : BATCH;
  const hash = hashAll ?? hashOneByOne;
  // The right edge by layer, from the lowest; what is complete, in the same way.
  const edges: Edge[] = [];
  const complete: Complete[][] = [];
  let waiting = 0;
  // Where nodes are written to be hashed: a piece of memory of their own for each would keep the garbage collector
  // busy.
  let arena = new Uint8Array(ARENA_SIZE);
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

  /** Names nodes of one layer from `from` on, as many as there is room for; answers the first that is left. */
  const nameSome = (nodes: readonly Complete[], from: number): number => {
    const blocks: Uint8Array[] = [];
    let at = 0;
    for (const { node } of nodes.slice(from)) {
      const room = roomFor(node);
      if (at + room > arena.length) {
        if (blocks.length > 0) {
          break;
        }
        arena = new Uint8Array(room);
      }
      const end = writeNode(node, arena, at);
      blocks.push(arena.subarray(at, end));
      at = end;
    }
    const digests = hash(blocks);
    for (let i = 0; i < blocks.length; i++) {
      const cid = dagCborCidAt(digests, i);
      nodes[from + i]!.link.cid = cid;
      onNode?.(cid, copyBytes(blocks[i]!));
    }
    return from + blocks.length;
  };

  /** Encodes and hashes what is complete, a layer at a time, so that the nodes above find the CIDs of those below. */
  const name = (): void => {
    for (const nodes of complete) {
      for (let next = 0; next < nodes.length; ) {
        next = nameSome(nodes, next);
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
    edge.children.push(edge.last);
    complete[layer]!.push({ link, node: createNode(layer, edge.keys, edge.values, edge.children) });
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
    const layers = layersOf(
      unplaced.map(({ key }) => key),
      hash,
    );
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
        onNode?.(cid, bytes);
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
