/**
 * Verifies an untrusted tree that shares subtrees with a verified one. The cost depends on the difference.
 *
 * Opens both trees together, layer by layer, as {@link diffTrees} does. A subtree of the new tree is trusted if the
 * verified tree has it at the same layer, and if its keys lie strictly between the keys around its new place. Every
 * other node is checked: its hash, its encoding, the layer and the order of its keys, and its place.
 */
import type { CID, CidBytes } from '../data/cid.ts';
import { CODEC_DAG_CBOR, cidBytesToText, cidEquals } from '../data/cid.ts';
import type { CidSet } from '../data/cid-set.ts';
import { createCidSet } from '../data/cid-set.ts';
import { isRepoError, RepoError } from '../errors.ts';
import type { HashAll } from '../data/sha256.ts';
import type { BlockReader } from '../storage/ports.ts';
import type { TreeChange } from './diff.ts';
import { compareLeaves } from './diff.ts';
import { layersOf } from './key.ts';
import type { Leaf, Node } from './node.ts';
import { EMPTY_ROOT, isEmptyNode, MAX_TREE_DEPTH } from './node.ts';
import type { NodeReader } from './node-reader.ts';
import { readNodes } from './read-nodes.ts';

/** Most nodes to open. A larger difference costs as much as a full check, and would need more memory. */
const MAX_OPENED = 16_384;
/** Nodes per read. */
const BATCH = 256;

/** A node that is not opened yet: its layer, and the keys on both sides of its place. */
interface Place {
  readonly subtree: CidBytes;
  readonly layer: number;
  readonly after: string | undefined;
  readonly before: string | undefined;
}

/** Where the nodes of both trees are read. */
export interface DifferenceBlocks {
  /** Reads nodes of the verified tree. */
  readonly verified: NodeReader;
  /** Reads nodes of the new tree. */
  readonly blocks: BlockReader;
  /** The blocks that came with the new tree. They are already hashed. A subtree among them is always opened. */
  readonly arrived: Pick<CidSet, 'has'>;
  readonly hashAll: HashAll;
}

export interface VerifiedDifference {
  /** In key order. */
  readonly changes: readonly TreeChange[];
  /** The nodes of the new tree that were opened. */
  readonly nodes: readonly CidBytes[];
  /** The leaves of these nodes, in key order, also those that did not change. */
  readonly leaves: readonly Leaf[];
}

/** @throws {RepoError} `Malformed`, as for a node that breaks a rule. A full check then finds the reason. */
const assertProved = (condition: boolean): void => {
  if (!condition) {
    throw new RepoError('Malformed', 'the difference is not proved');
  }
};

/** Codes of what a difference does not prove. */
const UNPROVED: ReadonlySet<string> = new Set(['BlockNotFound', 'Corrupt', 'Malformed']);

/** The unopened nodes of one tree, by layer, and the leaves of the opened ones. */
class Opening {
  readonly leaves: Leaf[] = [];
  readonly #places = new Map<number, Place[]>();

  get highest(): number {
    return Math.max(-1, ...this.#places.keys());
  }

  add(place: Place): void {
    const places = this.#places.get(place.layer);
    if (places === undefined) {
      this.#places.set(place.layer, [place]);
    } else {
      places.push(place);
    }
  }

  take(layer: number): Place[] {
    const places = this.#places.get(layer) ?? [];
    this.#places.delete(layer);
    return places;
  }

  /** Adds the children and the leaves of a node in its place. */
  open(node: Node, { after, before }: Pick<Place, 'after' | 'before'>): void {
    for (const [i, child] of node.children.entries()) {
      if (child?.cid !== undefined) {
        const bounds = { after: node.keys[i - 1] ?? after, before: node.keys[i] ?? before };
        this.add({ subtree: child.cid, layer: node.layer - 1, ...bounds });
      }
    }
    for (const [i, key] of node.keys.entries()) {
      this.leaves.push({ key, value: node.values[i]! });
    }
  }
}

const isInside = (key: string, { after, before }: Pick<Place, 'after' | 'before'>): boolean =>
  (after === undefined || key > after) && (before === undefined || key < before);

/** Checks that all keys of a subtree of the verified tree lie inside the bounds, by its first and last key. */
const assertSpines = async (verified: NodeReader, place: Place): Promise<void> => {
  for (const side of [0, -1] as const) {
    let key: string | undefined;
    let next: { subtree: CidBytes; layer: number } | undefined = place;
    while (next !== undefined) {
      const node: Node = await verified.node(next.subtree, next.layer);
      key = node.keys.at(side) ?? key;
      const child: CidBytes | undefined = node.children.at(side)?.cid;
      next = child === undefined ? undefined : { subtree: child, layer: next.layer - 1 };
    }
    assertProved(key !== undefined && isInside(key, place));
  }
};

const isWithin = (inner: Place, outer: Place): boolean =>
  (outer.after === undefined || (inner.after !== undefined && inner.after >= outer.after)) &&
  (outer.before === undefined || (inner.before !== undefined && inner.before <= outer.before));

/** Checks nodes of the new tree that are not the root. */
const assertNodes = (places: readonly Place[], nodes: readonly Node[], hashAll: HashAll): void => {
  const layers = layersOf(
    nodes.flatMap(({ keys }) => keys),
    hashAll,
  );
  let at = 0;
  for (const [i, node] of nodes.entries()) {
    const { layer } = places[i]!;
    const { keys } = node;
    assertProved(keys.length > 0 || !isEmptyNode(node));
    for (const key of keys) {
      assertProved(layers[at++] === layer && isInside(key, places[i]!));
    }
    assertProved(layer > 0 || node.children.every((child) => child === undefined));
  }
};

const byKey = (a: Leaf, b: Leaf): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

class DifferenceCheck {
  readonly #given: DifferenceBlocks;
  readonly #from = new Opening();
  readonly #to = new Opening();
  readonly #nodes: CidBytes[] = [];
  /** Nodes of the new tree, trusted ones included. None occurs twice. */
  readonly #seen = createCidSet();

  constructor(given: DifferenceBlocks) {
    this.#given = given;
  }

  async run(before: CID, after: CID): Promise<VerifiedDifference> {
    await this.#openRoots(before, after);
    for (let layer = this.#highest; layer >= 0; layer = this.#highest) {
      await this.#openLayer(layer);
    }
    const [from, to] = [this.#from.leaves.sort(byKey), this.#to.leaves.sort(byKey)];
    return { changes: [...compareLeaves(from, to)], nodes: this.#nodes, leaves: to };
  }

  get #highest(): number {
    return Math.max(this.#from.highest, this.#to.highest);
  }

  async #openRoots(before: CID, after: CID): Promise<void> {
    const { arrived, verified } = this.#given;
    const bounds = { after: undefined, before: undefined };
    const root = after.bytes as CidBytes;
    if (!cidEquals(before, EMPTY_ROOT)) {
      const { layer } = await verified.node(before.bytes as CidBytes);
      this.#from.add({ subtree: before.bytes as CidBytes, layer, ...bounds });
    }
    if (cidEquals(before, after) && !arrived.has(root)) {
      // The whole tree is trusted.
      this.#from.take(this.#from.highest);
      return;
    }
    // Its layer is that of its first key, which is checked with the others.
    const [node] = await this.#read([{ subtree: root, layer: undefined }]);
    assertProved(node!.keys.length > 0 || isEmptyNode(node!));
    if (node!.keys.length > 0) {
      this.#to.add({ subtree: root, layer: node!.layer, ...bounds });
    } else {
      this.#nodes.push(root);
    }
  }

  async #openLayer(layer: number): Promise<void> {
    const old = new Map(this.#from.take(layer).map((place) => [cidBytesToText(place.subtree), place]));
    const fresh: Place[] = [];
    for (const place of this.#to.take(layer)) {
      assertProved(place.subtree[1] === CODEC_DAG_CBOR && this.#seen.add(place.subtree));
      const text = cidBytesToText(place.subtree);
      const shared = old.get(text);
      if (shared === undefined || this.#given.arrived.has(place.subtree)) {
        fresh.push(place);
        continue;
      }
      if (!isWithin(shared, place)) {
        await assertSpines(this.#given.verified, place);
      }
      old.delete(text);
    }
    assertProved(this.#nodes.length + fresh.length + old.size <= MAX_OPENED && layer < MAX_TREE_DEPTH);
    for (const places of inBatches(fresh)) {
      const nodes = await this.#read(places);
      assertNodes(places, nodes, this.#given.hashAll);
      nodes.forEach((node, i) => {
        this.#nodes.push(places[i]!.subtree);
        this.#to.open(node, places[i]!);
      });
    }
    for (const places of inBatches([...old.values()])) {
      const nodes = await this.#given.verified.nodes(places);
      nodes.forEach((node, i) => this.#from.open(node, places[i]!));
    }
  }

  async #read(places: readonly { readonly subtree: CidBytes; readonly layer: number | undefined }[]): Promise<Node[]> {
    const { arrived, blocks, hashAll } = this.#given;
    return (await readNodes(blocks, places, hashAll, arrived)).map(({ node }) => node);
  }
}

function* inBatches(places: readonly Place[]): Generator<readonly Place[]> {
  for (let i = 0; i < places.length; i += BATCH) {
    yield places.slice(i, i + BATCH);
  }
}

/**
 * Returns the difference between two trees if this check proves that the new tree is sound, except for its records:
 * they are not read. Otherwise returns `undefined`: {@link verifyTreeOf} then reports the faults, if any.
 * @param before The root of a verified tree, all of whose blocks are stored.
 * @throws the errors of the readers, but for `BlockNotFound`, `Corrupt` and `Malformed`.
 */
export const verifyDifference = async (
  given: DifferenceBlocks,
  before: CID,
  after: CID,
): Promise<VerifiedDifference | undefined> => {
  try {
    return await new DifferenceCheck(given).run(before, after);
  } catch (error) {
    if (isRepoError(error) && UNPROVED.has(error.code)) {
      return undefined;
    }
    throw error;
  }
};
