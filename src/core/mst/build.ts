/** Builds a tree from sorted keys. Only the right edge of the tree is in memory. */
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
 * Keys and nodes that are hashed together. With eight times as many, the garbage collector moved them, which took a
 * quarter of the time of checking a tree.
 */
const BATCH = 64;
/** Bytes of nodes that are encoded and hashed together. A larger node is hashed alone. */
const ARENA_SIZE: number = 64 * 1024;

export interface TreeBuilderOptions {
  /** Hashes keys and nodes in batches, which takes a little more memory. Default: one by one. */
  readonly hashAll?: HashAll | undefined;
}

export interface TreeBuilder {
  /**
   * Adds a key. Keys must be in order.
   * @param layer The key's layer, if it is known from another tree. The key is then not checked again.
   * @throws {RepoError} `Malformed` when the key is not in order or not valid; `LimitExceeded` when a node would become
   *   too large. A later call may report it.
   */
  add(key: string, value: CidBytes, layer?: number): void;
  /** Ends the tree and returns its root. Do not use the builder afterwards. */
  finish(): CidBytes;
}

/** A link to a complete node. Its CID is set when its batch is hashed. */
interface OpenLink extends Link {
  cid: CidBytes | undefined;
}

/** A node of the right edge, which may still grow. `last` becomes the child to the right of the last key. */
interface Edge {
  readonly keys: string[];
  readonly values: CidBytes[];
  readonly children: (Link | undefined)[];
  last: Link | undefined;
}

/** A complete node without a CID. */
interface Complete {
  readonly node: Node;
  readonly link: OpenLink;
}

const newEdge = (): Edge => ({ keys: [], values: [], children: [], last: undefined });

/**
 * Returns a builder for one tree.
 * @param onNode Called for each complete node, children before parents. The callee owns the bytes.
 */
export const createTreeBuilder = (
  onNode?: (cid: CidBytes, bytes: Bytes) => void,
  { hashAll }: TreeBuilderOptions = {},
): TreeBuilder => {
  const batch = hashAll === undefined ? 1 : BATCH;
  const hash = hashAll ?? hashOneByOne;
  // The right edge by layer, lowest first, and complete nodes by layer.
  const edges: Edge[] = [];
  const complete: Complete[][] = [];
  let waiting = 0;
  // Buffer for encoding nodes. A buffer per node would burden the garbage collector.
  let arena = new Uint8Array(ARENA_SIZE);
  // Keys whose layer is not known.
  let unplaced: { readonly key: string; readonly value: CidBytes }[] = [];
  let before = '';

  const edgeAt = (layer: number): Edge => {
    while (edges.length <= layer) {
      edges.push(newEdge());
      complete.push([]);
    }
    return edges[layer]!;
  };

  /**
   * Encodes and hashes nodes of one layer from `from` on, as many as fit into the arena. Returns the index of the next
   * node.
   */
  const hashBatch = (nodes: readonly Complete[], from: number): number => {
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

  /** Encodes and hashes all complete nodes, layer by layer, because parents need the CIDs of their children. */
  const hashComplete = (): void => {
    for (const nodes of complete) {
      for (let next = 0; next < nodes.length; ) {
        next = hashBatch(nodes, next);
      }
      nodes.length = 0;
    }
    waiting = 0;
  };

  /** Completes the node of a layer, if it is not empty, and starts another. */
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
      hashComplete();
    }
    return link;
  };

  /** Completes all nodes below a layer. Each becomes the last child of the node above. */
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
        throw new RepoError('Malformed', `keys are not in order: sort them; key=${key} before=${before}`);
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
      // The highest layer has a key, because only keys create layers.
      const top = edges.length - 1;
      closeBelow(top);
      const root = close(top);
      hashComplete();
      return root!.cid!;
    },
  };
};
