/** Trees that share subtrees with a sound tree, changed as an attacker would, and their check against the full walk. */
import { createCidSet } from '../../../src/core/data/cid-set.ts';
import { CODEC_DAG_CBOR, cidBytesToText, cidOf, cidToText, decodeCid, parseCid } from '../../../src/core/data/cid.ts';
import type { CID, CidBytes, CidLike } from '../../../src/core/data/cid.ts';
import type { Bytes } from '../../../src/core/data/bytes.ts';
import { hashAll } from '../../../src/core/data/sha256.ts';
import { createTreeBuilder } from '../../../src/core/mst/build.ts';
import { decodeContent, encodeNode } from '../../../src/core/mst/codec.ts';
import { diffTrees } from '../../../src/core/mst/diff.ts';
import { layerOf } from '../../../src/core/mst/key.ts';
import type { NodeContent } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { verifyDifference } from '../../../src/core/mst/verify-difference.ts';
import { verifyTree } from '../../../src/core/mst/verify.ts';
import { listOf } from '../../../src/core/data/list-of.ts';

const cidBytesOf = (text: string): CidBytes => parseCid(text).bytes as CidBytes;

type Blocks = Map<string, Bytes>;

/** Reads the first of several sets of blocks that has the block. */
export const readerOf = (...layers: readonly Blocks[]) => {
  const get = (cid: CidLike): Bytes | undefined => {
    const text = typeof cid === 'object' && 'bytes' in cid ? cidToText(cid as CID) : cidBytesToText(cid as CidBytes);
    return layers.map((blocks) => blocks.get(text)).find((bytes) => bytes !== undefined);
  };
  return { get: async (cid: CidLike) => get(cid), getMany: async (cids: readonly CidLike[]) => cids.map(get) };
};

interface SampleTree {
  readonly root: CID;
  readonly blocks: Blocks;
}

/** Layers by key: hashing the keys of each tree again takes most of the time. */
const layers = new Map<string, number>();
const layerOnce = (key: string): number => {
  const layer = layers.get(key) ?? layerOf(key);
  layers.set(key, layer);
  return layer;
};

export const treeOf = (records: ReadonlyMap<string, CidBytes>): SampleTree => {
  const blocks: Blocks = new Map();
  const builder = createTreeBuilder((cid, bytes) => void blocks.set(cidBytesToText(cid), bytes.slice()));
  for (const key of [...records.keys()].sort()) {
    builder.add(key, records.get(key)!, layerOnce(key));
  }
  return { root: decodeCid(builder.finish()), blocks };
};

export const valueOf = (text: string): CidBytes =>
  cidOf(CODEC_DAG_CBOR, new TextEncoder().encode(text)).bytes as CidBytes;

interface Change {
  readonly tree: SampleTree;
  readonly random: () => number;
  /** All subtrees of the sound tree and of the new one. */
  readonly subtrees: readonly CidBytes[];
  readonly keys: readonly string[];
}

type Mutation = (node: NodeContent, change: Change) => NodeContent;

const below = (random: () => number, count: number): number => Math.floor(random() * count);
const pick = <T>(random: () => number, items: readonly T[]): T => items[below(random, items.length)]!;
const linkOf = (cid: CidBytes) => ({ cid, node: undefined });

const withChild = (node: NodeContent, at: number, cid: CidBytes | undefined): NodeContent => ({
  ...node,
  children: node.children.map((child, i) => (i === at ? cid && linkOf(cid) : child)),
});

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'another subtree': (node, { random, subtrees }) =>
    withChild(node, below(random, node.children.length), pick(random, subtrees)),
  'a subtree twice': (node, { random }) => {
    const cid = pick(random, node.children)?.cid;
    return withChild(node, below(random, node.children.length), cid);
  },
  'two subtrees exchanged': (node, { random }) => {
    const [i, j] = [below(random, node.children.length), below(random, node.children.length)];
    return withChild(withChild(node, i, node.children[j]?.cid), j, node.children[i]?.cid);
  },
  'a subtree removed': (node, { random }) => withChild(node, below(random, node.children.length), undefined),
  'a key removed, and a subtree beside it': (node, { random }) => {
    const at = below(random, node.keys.length);
    return {
      keys: node.keys.toSpliced(at, 1),
      values: node.values.toSpliced(at, 1),
      children: node.children.toSpliced(at + below(random, 2), 1),
    };
  },
  'another key': (node, { random, keys }) => ({
    ...node,
    keys: node.keys.with(below(random, node.keys.length), pick(random, keys)),
  }),
  'a key more': (node, { random, keys }) => {
    const at = below(random, node.keys.length + 1);
    return {
      keys: node.keys.toSpliced(at, 0, pick(random, keys)),
      values: node.values.toSpliced(at, 0, valueOf('more')),
      children: node.children.toSpliced(at, 0, undefined),
    };
  },
  'a key more, between its neighbours': (node, { random }) => {
    const at = below(random, node.keys.length);
    return {
      keys: node.keys.toSpliced(at + 1, 0, `${node.keys[at]!}${pick(random, ['0', 'a', 'zz'])}`),
      values: node.values.toSpliced(at + 1, 0, valueOf('more')),
      children: node.children.toSpliced(at + 1, 0, undefined),
    };
  },
  'another value': (node, { random }) => ({
    ...node,
    values: node.values.with(below(random, node.values.length), valueOf('another')),
  }),
  'no key': (node) => ({ keys: [], values: [], children: node.children.slice(0, 1) }),
  'a node above': (node, { subtrees, random }) => ({
    keys: node.keys.slice(0, 1),
    values: node.values.slice(0, 1),
    children: [linkOf(pick(random, subtrees)), node.children.at(-1)],
  }),
};

export const MUTATION_NAMES: readonly string[] = [...Object.keys(MUTATIONS), 'a block removed', 'nothing changed'];

/** Changes one new node, and writes its ancestors again, so that all hashes match. */
const mutate = (name: string, change: Change, fresh: readonly string[]): SampleTree => {
  const { random, tree } = change;
  const blocks = new Map(tree.blocks);
  const target = pick(random, fresh);
  if (name === 'a block removed') {
    blocks.delete(target);
    return { root: tree.root, blocks };
  }
  const rewrite = (text: string): CidBytes | undefined => {
    const bytes = tree.blocks.get(text);
    if (bytes === undefined) {
      return undefined;
    }
    let node: NodeContent = decodeContent(bytes);
    if (text === target) {
      node = node.keys.length === 0 ? node : MUTATIONS[name]!(node, change);
    } else {
      for (const [i, child] of node.children.entries()) {
        const made = child?.cid && rewrite(cidBytesToText(child.cid));
        node = made === undefined ? node : withChild(node, i, made);
      }
    }
    const encoded = encodeNode(node);
    const cid = cidOf(CODEC_DAG_CBOR, encoded);
    blocks.set(cidToText(cid), encoded);
    return cid.bytes as CidBytes;
  };
  return { root: decodeCid(rewrite(cidToText(tree.root))!), blocks };
};

export interface Comparison {
  readonly name: string;
  /** What the check of the difference says, and the full walk. */
  readonly difference: 'proved' | 'unproved';
  readonly walk: 'faults' | 'sound';
  /** Whether a proved difference has the changes that `diffTrees` finds. */
  readonly sameChanges: boolean;
  readonly nodesRead: number;
}

/** A sound tree, edits of it, and mutations of the result. */
export class Differences {
  readonly #random: () => number;
  readonly #records = new Map<string, CidBytes>();
  readonly #sound: SampleTree;

  constructor(random: () => number, count: number) {
    this.#random = random;
    for (let i = 0; i < count; i++) {
      this.#records.set(this.#newKey(), valueOf(String(i)));
    }
    this.#sound = treeOf(this.#records);
  }

  /** Edits the tree, mutates the result, and checks it in both ways. */
  async compare(name: string): Promise<Comparison> {
    const random = this.#random;
    const records = new Map(this.#records);
    const keys = [...records.keys()];
    for (let edits = 1 + below(random, 3); edits > 0; edits--) {
      const key = random() < 0.5 ? pick(random, keys) : this.#newKey();
      if (random() < 0.4) {
        records.delete(key);
      } else {
        records.set(key, valueOf(`edit ${random()}`));
      }
    }
    const tree = treeOf(records);
    const fresh = [...tree.blocks.keys()].filter((text) => !this.#sound.blocks.has(text));
    const subtrees = [...this.#sound.blocks.keys(), ...fresh].map((text) => cidBytesOf(text));
    const isMutated = name !== 'nothing changed' && fresh.length > 0;
    const changed = isMutated ? mutate(name, { tree, random, subtrees, keys }, fresh) : tree;
    const arrived = createCidSet();
    const arriving: Blocks = new Map();
    for (const [text, bytes] of changed.blocks) {
      if (!this.#sound.blocks.has(text)) {
        arrived.add(cidBytesOf(text));
        arriving.set(text, bytes);
      }
    }
    const blocks = readerOf(arriving, this.#sound.blocks);
    const verified = createNodeReader(readerOf(this.#sound.blocks), { capacity: 0 });
    const found = await verifyDifference({ verified, blocks, arrived, hashAll }, this.#sound.root, changed.root);
    const { faultCount } = await verifyTree(blocks, changed.root);
    const walk = faultCount === 0 ? 'sound' : 'faults';
    const expected =
      walk === 'sound' ? await listOf(diffTrees(createNodeReader(blocks), this.#sound.root, changed.root)) : [];
    return {
      name,
      difference: found === undefined ? 'unproved' : 'proved',
      walk,
      sameChanges: found === undefined || JSON.stringify(found.changes) === JSON.stringify(expected),
      nodesRead: found?.nodes.length ?? 0,
    };
  }

  #newKey(): string {
    return `com.example.${pick(this.#random, ['a', 'b', 'c'])}/${below(this.#random, 1e6).toString(36)}`;
  }
}
