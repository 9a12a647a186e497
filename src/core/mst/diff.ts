/**
 * What differs between two trees. Subtrees that both have are recognised by their CIDs and never opened: the cost is
 * that of the difference, not that of the trees.
 *
 * Both trees are opened layer by layer, together. A node is on one layer for ever, and once in a tree, so when a
 * layer's turn comes each node on it that both trees have, and that no shared parent hides, is in both lists.
 */
import { equalBytes } from '../data/bytes.ts';
import type { CID, CidBytes } from '../data/cid.ts';
import { cidBytesToText, cidEquals } from '../data/cid.ts';
import type { Leaf, Node } from './node.ts';
import type { NodeReader } from './node-reader.ts';
import type { Subtree } from './read-nodes.ts';

/** A key whose value is not the same in both trees. `from` is missing where the key is new, `to` where it is gone. */
export interface TreeChange {
  readonly key: string;
  readonly from: CidBytes | undefined;
  readonly to: CidBytes | undefined;
}

/** The nodes that only one of two trees has, in no order that matters. */
export interface NodeDifference {
  readonly created: readonly CidBytes[];
  readonly deleted: readonly CidBytes[];
}

/**
 * Nodes to open with one read. With more on a layer the work is cut in two at a key that both trees have; trees that
 * have none in common are compared whole, in memory that grows with them.
 */
const MAX_READ = 256;

/** A node that is not open yet. */
interface Place extends Subtree {
  readonly layer: number;
}

type Step = Leaf | Place;

/** The same range of keys in both trees, in order. */
interface Range {
  readonly from: readonly Step[];
  readonly to: readonly Step[];
}

type OnNode = (side: keyof Range, cid: CidBytes) => void;

const isSubtree = (step: Step): step is Place => 'subtree' in step;

const highestLayer = ({ from, to }: Range): number => {
  let highest = -1;
  for (const steps of [from, to]) {
    for (const step of steps) {
      if (isSubtree(step)) {
        highest = Math.max(highest, step.layer);
      }
    }
  }
  return highest;
};

const subtreesOn = (steps: readonly Step[], layer: number): Map<string, Place> => {
  const subtrees = new Map<string, Place>();
  for (const step of steps) {
    if (isSubtree(step) && step.layer === layer) {
      subtrees.set(cidBytesToText(step.subtree), step);
    }
  }
  return subtrees;
};

const stepsOf = (node: Node): Step[] => {
  const steps: Step[] = [];
  for (let i = 0; i < node.children.length; i++) {
    const child = node.children[i]?.cid;
    if (child !== undefined) {
      steps.push({ subtree: child, layer: node.layer - 1 });
    }
    const key = node.keys[i];
    if (key !== undefined) {
      steps.push({ key, value: node.values[i]! });
    }
  }
  return steps;
};

/** The steps with what is in some subtrees in their place, and without those that the other side has as well. */
const replace = (
  steps: readonly Step[],
  shared: ReadonlySet<Place>,
  opened: ReadonlyMap<Place, readonly Step[]>,
): Step[] => {
  const replaced: Step[] = [];
  for (const step of steps) {
    if (!isSubtree(step)) {
      replaced.push(step);
    } else if (!shared.has(step)) {
      replaced.push(...(opened.get(step) ?? [step]));
    }
  }
  return replaced;
};

/** The range in two at a key that both lists show, or that lies beside an empty one, with nodes on both sides of it. */
const cut = ({ from, to }: Range, subtrees: number): readonly [Range, Range] | undefined => {
  let passed = 0;
  let i = 0;
  let j = 0;
  const passSubtrees = (steps: readonly Step[], start: number): number => {
    let at = start;
    while (at < steps.length && isSubtree(steps[at]!)) {
      passed += 1;
      at += 1;
    }
    return at;
  };
  for (;;) {
    i = passSubtrees(from, i);
    j = passSubtrees(to, j);
    const a = from[i] as Leaf | undefined;
    const b = to[j] as Leaf | undefined;
    if (a === undefined && b === undefined) {
      return undefined;
    }
    const clean = a?.key === b?.key || from.length === 0 || to.length === 0;
    if (clean && passed * 2 >= subtrees && passed < subtrees) {
      return [
        { from: from.slice(0, i), to: to.slice(0, j) },
        { from: from.slice(i), to: to.slice(j) },
      ];
    }
    const order = a === undefined ? 1 : b === undefined ? -1 : a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
    i += order <= 0 ? 1 : 0;
    j += order >= 0 ? 1 : 0;
  }
};

/** Compares two lists of leaves. */
function* compareLeaves(from: readonly Leaf[], to: readonly Leaf[]): Generator<TreeChange> {
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    const a = from[i];
    const b = to[j];
    if (b === undefined || (a !== undefined && a.key < b.key)) {
      yield { key: a!.key, from: a!.value, to: undefined };
      i += 1;
    } else if (a === undefined || b.key < a.key) {
      yield { key: b.key, from: undefined, to: b.value };
      j += 1;
    } else {
      if (!equalBytes(a.value, b.value)) {
        yield { key: a.key, from: a.value, to: b.value };
      }
      i += 1;
      j += 1;
    }
  }
}

/** Opens the highest layer of a range. With too much to open it is two ranges. */
const openLayer = async (
  reader: NodeReader,
  range: Range,
  layer: number,
  onNode: OnNode,
): Promise<readonly Range[]> => {
  const sides = { from: subtreesOn(range.from, layer), to: subtreesOn(range.to, layer) };
  const shared = new Set<Place>();
  for (const [text, subtree] of sides.from) {
    const same = sides.to.get(text);
    if (same !== undefined) {
      shared.add(subtree).add(same);
      sides.from.delete(text);
      sides.to.delete(text);
    }
  }
  const unread = [...sides.from.values(), ...sides.to.values()];
  if (unread.length > MAX_READ) {
    const none = new Map<Place, readonly Step[]>();
    const rest = { from: replace(range.from, shared, none), to: replace(range.to, shared, none) };
    const halves = cut(rest, [...rest.from, ...rest.to].filter(isSubtree).length);
    if (halves !== undefined) {
      return halves;
    }
  }
  const nodes: Node[] = [];
  for (let i = 0; i < unread.length; i += MAX_READ) {
    nodes.push(...(await reader.nodes(unread.slice(i, i + MAX_READ))));
  }
  const opened = new Map(unread.map((subtree, i) => [subtree, stepsOf(nodes[i]!)]));
  for (const [i, { subtree }] of unread.entries()) {
    onNode(i < sides.from.size ? 'from' : 'to', subtree);
  }
  return [{ from: replace(range.from, shared, opened), to: replace(range.to, shared, opened) }];
};

/** A root with its layer, for one tree may be a subtree of the other. */
const readRoot = async (reader: NodeReader, root: CID | undefined): Promise<Place[]> => {
  if (root === undefined) {
    return [];
  }
  const subtree = root.bytes as CidBytes;
  const { layer } = await reader.node(subtree);
  return [{ subtree, layer }];
};

async function* compare(
  reader: NodeReader,
  from: CID | undefined,
  to: CID | undefined,
  onNode: OnNode,
): AsyncGenerator<TreeChange> {
  if (cidEquals(from, to)) {
    return;
  }
  // The last one is next.
  const ranges: Range[] = [{ from: await readRoot(reader, from), to: await readRoot(reader, to) }];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const layer = highestLayer(range);
    if (layer < 0) {
      yield* compareLeaves(range.from as readonly Leaf[], range.to as readonly Leaf[]);
      continue;
    }
    const parts = await openLayer(reader, range, layer, onNode);
    ranges.push(...parts.toReversed());
  }
}

/**
 * The changes that make one tree of another, in key order; none when they are the same. `undefined` is the empty tree.
 *
 * Fails, when its turn comes, with what the reader throws: `BlockNotFound`, `Corrupt`, `Malformed`.
 */
export const diffTrees = (reader: NodeReader, from: CID | undefined, to: CID | undefined): AsyncGenerator<TreeChange> =>
  compare(reader, from, to, () => undefined);

/**
 * The nodes that only one of two trees has. Here `undefined` is no tree at all, which lacks even the empty node.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`, `Malformed`, as the reader does.
 */
export const diffNodes = async (
  reader: NodeReader,
  from: CID | undefined,
  to: CID | undefined,
): Promise<NodeDifference> => {
  const nodes = { from: [] as CidBytes[], to: [] as CidBytes[] };
  const changes = compare(reader, from, to, (side, cid) => nodes[side].push(cid));
  while ((await changes.next()).done !== true) {
    // What was opened on the way is all that is wanted.
  }
  return { created: nodes.to, deleted: nodes.from };
};
