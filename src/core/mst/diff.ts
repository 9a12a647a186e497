/**
 * Compares two trees. Shared subtrees are recognised by their CIDs and never read, so the cost depends on the
 * difference, not on the size of the trees.
 *
 * Opens both trees together, layer by layer. A node has a fixed layer and occurs once per tree. So when a layer is
 * opened, each shared node without a shared parent is in both lists.
 */
import { equalBytes } from '../data/bytes.ts';
import type { CID, CidBytes } from '../data/cid.ts';
import { cidBytesToText, cidEquals } from '../data/cid.ts';
import type { Leaf, Node } from './node.ts';
import type { NodeReader } from './node-reader.ts';
import type { Subtree } from './read-nodes.ts';

/** A key with different values in the two trees. A new key has no `from`, a removed key no `to`. */
export interface TreeChange {
  readonly key: string;
  readonly from: CidBytes | undefined;
  readonly to: CidBytes | undefined;
}

/** The nodes that only one of two trees has, in no defined order. */
export interface NodeDifference {
  readonly created: readonly CidBytes[];
  readonly deleted: readonly CidBytes[];
}

/**
 * Nodes per read. A layer with more nodes is split in two at a shared key. Trees without shared keys are not split, so
 * memory grows with them.
 */
const MAX_READ = 256;

/** A node that is not opened yet. */
interface Place extends Subtree {
  readonly layer: number;
}

type Step = Leaf | Place;

/** The same range of keys in both trees, in order. */
interface Range {
  readonly from: readonly Step[];
  readonly to: readonly Step[];
}

type OnNode = (side: keyof Range, cid: CidBytes) => unknown;

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

/** Replaces opened subtrees by their content and removes shared subtrees. */
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

/**
 * Splits a range in two at a key that is in both lists, or at any key if one list is empty. Both halves have subtrees.
 */
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

/**
 * Removes the steps that have no key with the prefix. The keys of a subtree are between the leaves beside it. A leaf
 * that stays never excludes a subtree, so a removed one is not missed later.
 */
const under = (prefix: string, steps: readonly Step[]): Step[] =>
  steps.filter((step, i) => {
    if (!isSubtree(step)) {
      return step.key.startsWith(prefix);
    }
    const before = (steps[i - 1] as Leaf | undefined)?.key ?? '';
    const after = (steps[i + 1] as Leaf | undefined)?.key;
    return (before <= prefix || before.startsWith(prefix)) && (after === undefined || after > prefix);
  });

/** Compares two lists of leaves. */
export function* compareLeaves(from: readonly Leaf[], to: readonly Leaf[]): Generator<TreeChange> {
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

/** Opens the highest layer of a range. Returns two ranges if there are too many nodes to open. */
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

/** Reads the layer of a root, because one tree may be a subtree of the other. */
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
  prefix = '',
): AsyncGenerator<TreeChange> {
  if (cidEquals(from, to)) {
    return;
  }
  // A stack: the last range is next.
  const ranges: Range[] = [{ from: await readRoot(reader, from), to: await readRoot(reader, to) }];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const wanted = prefix === '' ? range : { from: under(prefix, range.from), to: under(prefix, range.to) };
    const layer = highestLayer(wanted);
    if (layer < 0) {
      yield* compareLeaves(wanted.from as readonly Leaf[], wanted.to as readonly Leaf[]);
      continue;
    }
    const parts = await openLayer(reader, wanted, layer, onNode);
    ranges.push(...parts.toReversed());
  }
}

export interface TreeDiffOptions {
  /** Called for each node that only the second tree has and that is read. */
  readonly onNew?: ((cid: CidBytes) => void) | undefined;
  /** Only keys that begin with this. Subtrees without such keys are not read. */
  readonly prefix?: string | undefined;
}

/**
 * Yields the changes from one tree to another, in key order. `undefined` is the empty tree.
 *
 * The iteration rejects with `BlockNotFound`, `Corrupt` or `Malformed` when a node cannot be read.
 */
export const diffTrees = (
  reader: NodeReader,
  from: CID | undefined,
  to: CID | undefined,
  { onNew, prefix }: TreeDiffOptions = {},
): AsyncGenerator<TreeChange> => compare(reader, from, to, (side, cid) => side === 'to' && onNew?.(cid), prefix);

/**
 * Returns the nodes that only one of two trees has. Here `undefined` is no tree: it does not even have the empty node.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`, `Malformed`: errors of the reader.
 */
export const diffNodes = async (
  reader: NodeReader,
  from: CID | undefined,
  to: CID | undefined,
): Promise<NodeDifference> => {
  const nodes = { from: [] as CidBytes[], to: [] as CidBytes[] };
  const changes = compare(reader, from, to, (side, cid) => nodes[side].push(cid));
  while ((await changes.next()).done !== true) {
    // Only `onNode` is needed.
  }
  return { created: nodes.to, deleted: nodes.from };
};
