/**
 * Keeps local work since the last import that an imported head does not have. A ref keeps it, and the result lists its
 * paths.
 */
import type { CID } from '../../data/cid.ts';
import { cidBytesToText, cidEquals } from '../../data/cid.ts';
import type { CidBytes } from '../../data/cid.ts';
import { compareText, equalBytes } from '../../data/bytes.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { sha256 } from '../../data/sha256.ts';
import { isRepoError } from '../../errors.ts';
import type { TreeChange } from '../../mst/diff.ts';
import { diffTrees } from '../../mst/diff.ts';
import { findValues } from '../../mst/find.ts';
import type { Leaf } from '../../mst/node.ts';
import type { NodeReader } from '../../mst/node-reader.ts';
import { createNodeReader } from '../../mst/node-reader.ts';
import type { BlockChange, BlockReader } from '../../storage/ports.ts';
import type { KeptPath, KeptWork } from '../long-work.ts';
import type { Head } from '../commits.ts';
import type { ReadNodes } from '../care/reach.ts';
import { nodesPastMissing, reachTree } from '../care/reach.ts';
import { readBase, rootOf } from './base.ts';
import type { Base } from './base.ts';
import { describeKept, keepCommit, keptRefs } from './kept-refs.ts';

/** Paths per lookup. */
const BATCH = 256;

/** A path whose local value differs from the new head. */
interface Conflict extends KeptPath {
  /** The local value; `undefined` for a deletion. */
  readonly ours: CidBytes | undefined;
}

const isSame = (a: CidBytes | undefined, b: CidBytes | undefined): boolean =>
  a === undefined || b === undefined ? a === b : equalBytes(a, b);

/** Yields pairs of changes of the same key. Both lists are in key order. */
async function* join(
  local: AsyncIterator<TreeChange>,
  moved: AsyncIterator<TreeChange>,
): AsyncGenerator<readonly [local: TreeChange, moved: TreeChange]> {
  let [a, b] = [await local.next(), await moved.next()];
  while (a.done !== true && b.done !== true) {
    if (a.value.key === b.value.key) {
      yield [a.value, b.value];
    }
    const isFirst = a.value.key <= b.value.key;
    const isSecond = b.value.key <= a.value.key;
    a = isFirst ? await local.next() : a;
    b = isSecond ? await moved.next() : b;
  }
}

/** Returns local changes that the new tree does not have. */
const conflictsSince = async (
  nodes: NodeReader,
  base: CID | undefined,
  head: CID,
  after: CID,
): Promise<readonly Conflict[]> => {
  const conflicts: Conflict[] = [];
  for await (const [local, moved] of join(diffTrees(nodes, base, head), diffTrees(nodes, head, after))) {
    const state = moved.to === undefined || isSame(moved.to, local.from) ? 'absent' : 'differs';
    conflicts.push({ path: local.key, state, ours: local.to });
  }
  return conflicts;
};

/** The same for an unknown base: every record of the head that the new tree does not have may be local work. */
const conflictsOf = async (nodes: NodeReader, head: CID, after: CID): Promise<readonly Conflict[]> => {
  const conflicts: Conflict[] = [];
  for await (const { key, from, to } of diffTrees(nodes, head, after)) {
    if (from !== undefined) {
      conflicts.push({ path: key, state: to === undefined ? 'absent' : 'differs', ours: from });
    }
  }
  return conflicts;
};

/** The same if nodes of the head are missing: compares the records that can still be read. */
const conflictsPastMissing = async (nodes: NodeReader, head: CID, after: CID): Promise<readonly Conflict[]> => {
  const leaves: Leaf[] = [];
  const read: ReadNodes = (subtrees) => nodesPastMissing(nodes, subtrees);
  await reachTree(read, head, createCidSet(), (key, value) => void leaves.push({ key, value }));
  leaves.sort((a, b) => compareText(a.key, b.key));
  const conflicts: Conflict[] = [];
  for (let at = 0; at < leaves.length; at += BATCH) {
    const batch = leaves.slice(at, at + BATCH);
    const values = await findValues(
      nodes,
      after,
      batch.map(({ key }) => key),
    );
    for (const [i, { key, value }] of batch.entries()) {
      const found = values[i]?.bytes as CidBytes | undefined;
      if (!isSame(found, value)) {
        conflicts.push({ path: key, state: found === undefined ? 'absent' : 'differs', ours: value });
      }
    }
  }
  return conflicts;
};

const unlessMissing = async <T>(work: Promise<T>): Promise<T | undefined> => {
  try {
    return await work;
  } catch (error) {
    if (!isRepoError(error, 'BlockNotFound')) {
      throw error;
    }
    return undefined;
  }
};

const digestOf = (conflicts: readonly Conflict[]): string => {
  const lines = conflicts.map(({ path, ours }) => `${path} ${ours === undefined ? '-' : cidBytesToText(ours)}\n`);
  return [...sha256(new TextEncoder().encode(lines.join('')))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
};

/** Returns the existing ref for the same work, or a new one. */
const refOf = async (change: BlockChange, head: Head, conflicts: readonly Conflict[], base: Base): Promise<string> => {
  const digest = digestOf(conflicts);
  for await (const kept of keptRefs(change)) {
    if (kept.digest === digest) {
      return kept.ref;
    }
  }
  const ref = await keepCommit(change, head);
  await describeKept(change, ref, digest, base);
  return ref;
};

/**
 * Keeps local work that the new tree does not have, under a ref. Part of the change that makes the new head. Returns
 * `undefined` if there is no such work.
 * @param blocks Reads both trees.
 */
export const keepLocalWork = async (
  change: BlockChange,
  blocks: BlockReader,
  head: Head,
  after: CID,
): Promise<KeptWork | undefined> => {
  const base = await readBase(change);
  const root = rootOf(base);
  if (cidEquals(root, head.data)) {
    return undefined;
  }
  const nodes = createNodeReader(blocks);
  const since = base === 'unknown' ? undefined : await unlessMissing(conflictsSince(nodes, root, head.data, after));
  // Nodes of the base or of the head may be missing after damage.
  const conflicts =
    since ??
    (await unlessMissing(conflictsOf(nodes, head.data, after))) ??
    (await conflictsPastMissing(nodes, head.data, after));
  if (conflicts.length === 0) {
    return undefined;
  }
  const paths = conflicts.map(({ path, state }) => ({ path, state }));
  const ref = await refOf(change, head, conflicts, base);
  return { ref, paths, state: paths.every(({ state }) => state === 'absent') ? 'absent' : 'differs' };
};
