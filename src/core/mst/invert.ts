/** Undoes changes of a tree. This proves that two roots differ only by these changes. */
import type { CidBytes } from '../data/cid.ts';
import { cidBytesToText } from '../data/cid.ts';
import { equalBytes } from '../data/bytes.ts';
import { RepoError } from '../errors.ts';
import type { TreeChange } from './diff.ts';
import { findAtLayer } from './find.ts';
import { insert } from './insert.ts';
import { assertTreeKey, layerOf } from './key.ts';
import type { Link } from './node.ts';
import { remove } from './remove.ts';

interface LayeredChange extends TreeChange {
  readonly layer: number;
}

const shown = (value: CidBytes | undefined): string => (value === undefined ? 'nothing' : cidBytesToText(value));

/** Restores removed keys first, and then the lowest layer. Other orders need nodes that proofs lack. */
const byNeed = (a: LayeredChange, b: LayeredChange): number =>
  Number(b.to === undefined) - Number(a.to === undefined) || a.layer - b.layer || (a.key < b.key ? -1 : 1);

/**
 * Checks that a tree has the value that a change leads to. `tree` may be partial.
 * @throws {RepoError} `Malformed` when it has another value; `BlockNotFound` when a node on the way is not loaded.
 */
export const assertChanged = (tree: Link, { key, to }: TreeChange, layer?: number): void => {
  const found = findAtLayer(tree, key, layer);
  if (found === undefined ? to !== undefined : to === undefined || !equalBytes(found, to)) {
    throw new RepoError(
      'Malformed',
      `the tree does not have the value of the change: pass the tree after the changes; key=${key} expected=${shown(to)} found=${shown(found)}`,
    );
  }
};

const undo = (tree: Link, change: LayeredChange): Link => {
  assertChanged(tree, change, change.layer);
  return change.from === undefined ? remove(tree, change.key) : insert(tree, change.key, change.from);
};

/**
 * Returns the tree as it was before `changes`. `tree` may be partial: a covering proof of the changed keys is enough.
 * It stays as it is. The result has new nodes; {@link seal} computes its root.
 * @param changes The difference that led to `tree`, in any order, each key once. `to` is the value in `tree`, and
 *   `from` the value before; `undefined` where the key is absent.
 * @throws {RepoError} `Malformed` when a key occurs twice, is not a valid key, or does not have the value `to` in the
 *   tree; `BlockNotFound` when a node that is needed is not loaded: the changes are then not proved, and not refuted;
 *   `LimitExceeded` when a node would become too large.
 * @see https://atproto.com/specs/sync
 */
export const invert = (tree: Link, changes: readonly TreeChange[]): Link => {
  const keys = new Set<string>();
  for (const { key } of changes) {
    assertTreeKey(key);
    if (keys.has(key)) {
      throw new RepoError('Malformed', `a key is changed twice: pass each key once; key=${key}`);
    }
    keys.add(key);
  }
  return changes
    .map((change) => ({ ...change, layer: layerOf(change.key) }))
    .sort(byNeed)
    .reduce(undo, tree);
};
