/**
 * Counts of the records by collection, with the root of the tree that they belong to.
 *
 * A meta value has them. Imports, events and local commits write it with the head. The counts of another tree are
 * updated by the difference to it, or counted. `verify` compares the value with the head's tree; `repair` and
 * `salvageRepo` remove it.
 */
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText, parseCid } from '../../data/cid.ts';
import { isRepoError } from '../../errors.ts';
import { diffTrees } from '../../mst/diff.ts';
import type { Leaf } from '../../mst/node.ts';
import { EMPTY_ROOT } from '../../mst/node.ts';
import { walkLeaves } from '../../mst/walk.ts';
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { CountedTree, RepoParts } from '../open-parts.ts';
import type { CollectionCount, RecordChange } from '../tree.ts';
import { splitPath } from '../path.ts';
import { COUNTS } from '../store-names.ts';
import type { View } from './records.ts';

/** Most collections of a value. A commit writes the value, so it has to be short. */
const MAX_COLLECTIONS = 1_000;

/** The tree before the first commit. */
const EMPTY: CountedTree = { data: EMPTY_ROOT, counts: new Map() };

const encode = ({ data, counts }: CountedTree): string | undefined =>
  counts.size > MAX_COLLECTIONS
    ? undefined
    : [cidToText(data), ...[...counts].map(([collection, count]) => `${collection}=${count}`)].join(' ');

const decode = (text: string | undefined): CountedTree | undefined => {
  const [root, ...entries] = text?.split(' ') ?? [];
  if (root === undefined || !entries.every((entry) => /^[^=]+=[1-9]\d*$/.test(entry))) {
    return undefined;
  }
  try {
    return {
      data: parseCid(root),
      counts: new Map(entries.map((entry) => entry.split('=') as [string, string]).map(([k, v]) => [k, Number(v)])),
    };
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return undefined;
  }
};

/** Returns the stored counts of any tree, or `undefined` if none are stored. */
export const storedCounts = async (store: Pick<StoreReader, 'meta'>): Promise<CountedTree | undefined> =>
  decode(await store.meta(COUNTS));

/** Returns the counts of the tree with this root, or `undefined` if they are not known without reading the tree. */
export const knownCounts = async (
  { heads }: Pick<RepoParts, 'heads'>,
  store: Pick<StoreReader, 'meta'>,
  root: CID | undefined,
): Promise<CountedTree | undefined> => {
  const data = root ?? EMPTY_ROOT;
  if (cidEquals(data, EMPTY_ROOT)) {
    return EMPTY;
  }
  if (!cidEquals(heads.counted?.data, data)) {
    heads.counted = (await storedCounts(store)) ?? heads.counted;
  }
  return cidEquals(heads.counted?.data, data) ? heads.counted : undefined;
};

/** Part of the change that makes a tree the head's. */
export const noteCounts = async (change: BlockChange, counted: CountedTree | undefined): Promise<void> => {
  if (counted !== undefined) {
    await change.setMeta(COUNTS, encode(counted));
  }
};

/** Part of a change that repairs a repository. */
export const forgetCounts = async ({ heads }: Pick<RepoParts, 'heads'>, change: BlockChange): Promise<void> => {
  heads.counted = undefined;
  heads.mentioning = undefined;
  await change.setMeta(COUNTS, undefined);
};

/** Adds records to counts, or removes them. */
const add = (counts: Map<string, number>, collection: string, count: number): void => {
  const sum = (counts.get(collection) ?? 0) + count;
  if (sum === 0) {
    counts.delete(collection);
  } else {
    counts.set(collection, sum);
  }
};

/** Adds the leaves of a walk, in the order of their keys. */
export const addLeaves = (counts: Map<string, number>, leaves: readonly Leaf[]): void => {
  let collection = '';
  let count = 0;
  for (const { key } of leaves) {
    if (count > 0 && key.startsWith(collection) && key[collection.length] === '/') {
      count += 1;
      continue;
    }
    if (count > 0) {
      add(counts, collection, count);
    }
    collection = splitPath(key).collection;
    count = 1;
  }
  if (count > 0) {
    add(counts, collection, count);
  }
};

/** Returns the counts after changes, or `undefined` if those before are not known. */
export const countsAfter = (
  before: CountedTree | undefined,
  { root, changes }: { readonly root: CID; readonly changes: Iterable<Pick<RecordChange, 'action' | 'collection'>> },
): CountedTree | undefined => {
  if (before === undefined) {
    return undefined;
  }
  const counts = new Map(before.counts);
  for (const { action, collection } of changes) {
    if (action !== 'update') {
      add(counts, collection, action === 'create' ? 1 : -1);
    }
  }
  return { data: root, counts };
};

/**
 * Part of the change that makes a changed tree the head's. Returns its counts, or `undefined` if those before are not
 * known. Afterwards, set `heads.counted`.
 */
export const noteChangedCounts = async (
  parts: Pick<RepoParts, 'heads'>,
  change: BlockChange,
  before: CID | undefined,
  applied: Parameters<typeof countsAfter>[1],
): Promise<CountedTree | undefined> => {
  const counted = countsAfter(await knownCounts(parts, change, before), applied);
  await noteCounts(change, counted);
  return counted;
};

/** Returns the counts of a tree from those of another one, or `undefined` if the other one lacks nodes. */
const countDifference = async (view: View, { data, counts: before }: CountedTree, root: CID) => {
  const counts = new Map(before);
  try {
    for await (const { key, from, to } of diffTrees(view.nodes, data, root)) {
      if (from === undefined || to === undefined) {
        add(counts, splitPath(key).collection, from === undefined ? 1 : -1);
      }
    }
  } catch (error) {
    // `gc` has removed the other tree, or it is damaged. An error of this tree comes again when it is counted.
    if (isRepoError(error)) {
      return undefined;
    }
    throw error;
  }
  return { data: root, counts };
};

/** In the order of the tree, where a collection sorts with the slash that follows it. */
const sorted = ({ counts }: CountedTree): CollectionCount[] =>
  [...counts]
    .map(([collection, count]) => ({ collection, count }))
    .sort((a, b) => (`${a.collection}/` < `${b.collection}/` ? -1 : 1));

/**
 * `collections` of a repository, a branch and a tree. Counts of the head are known. Those of another tree are counted
 * from the stored ones if their trees are similar.
 */
export const listCollections = async (
  parts: Pick<RepoParts, 'heads' | 'store'>,
  view: View,
): Promise<CollectionCount[]> => {
  const { heads, store } = parts;
  const { root } = view;
  if (root === undefined) {
    return [];
  }
  const known = await knownCounts(parts, store, root);
  if (known !== undefined) {
    return sorted(known);
  }
  const other = heads.counted ?? EMPTY;
  const difference = other === EMPTY ? undefined : await countDifference(view, other, root);
  if (difference !== undefined) {
    heads.counted = difference;
    return sorted(difference);
  }
  const counts = new Map<string, number>();
  for await (const leaves of walkLeaves(view.nodes, root, {})) {
    addLeaves(counts, leaves);
  }
  heads.counted = { data: root, counts };
  return sorted(heads.counted);
};
