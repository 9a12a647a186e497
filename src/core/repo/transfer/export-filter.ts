/** Which nodes and records of a tree an export has: all of them, a difference, or the records of some paths. */
import type { CidBytes } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { diffTrees } from '../../mst/diff.ts';
import type { PreorderFilter } from '../../mst/preorder.ts';
import { assertCollection } from '../../syntax/identifiers.ts';
import type { Head } from '../commits.ts';
import type { ExportOptions } from '../long-work.ts';
import type { RepoParts } from '../open-parts.ts';

/** A range of keys: from the first one up to one that is not in it. */
interface Range {
  readonly from: string;
  readonly to: string | undefined;
}

/** The character after the slash between a collection and a record key. */
const AFTER_SLASH = '0';

/** @throws {RepoError} `InvalidCollection`. */
export const assertExportOptions = ({ collections = [] }: ExportOptions): void => collections.forEach(assertCollection);

const isBelow = (key: string, end: string | undefined): boolean => end === undefined || key < end;

const rangesOf = ({ collections, range }: ExportOptions): readonly Range[] | undefined => {
  if (collections === undefined && range === undefined) {
    return undefined;
  }
  const { from = '', to } = range ?? {};
  const wanted =
    collections === undefined
      ? [{ from: '', to: undefined }]
      : collections.map((collection) => ({ from: `${collection}/`, to: `${collection}${AFTER_SLASH}` }));
  return wanted.map((one) => ({
    from: isBelow(one.from, from) ? from : one.from,
    to: one.to === undefined || (to !== undefined && to < one.to) ? to : one.to,
  }));
};

/** A node is needed if its place overlaps a range: without it, nobody knows whether it has keys there. */
const inRanges = (ranges: readonly Range[]): PreorderFilter => ({
  hasNode: (_, after, before) =>
    (after === undefined && before === undefined) ||
    ranges.some(({ from, to }) => isBelow(from, before) && (after === undefined || isBelow(after, to))),
  hasKey: (key) => ranges.some(({ from, to }) => key >= from && isBelow(key, to)),
});

const inDifference = (nodes: CidSet, keys: ReadonlySet<string>): PreorderFilter => ({
  hasNode: (cid: CidBytes) => nodes.has(cid),
  hasKey: (key) => keys.has(key),
});

/** Returns what to export, or `undefined` for everything. */
export const exportFilter = async (
  parts: RepoParts,
  head: Head,
  since: Head | undefined,
  options: ExportOptions,
): Promise<PreorderFilter | undefined> => {
  const ranges = rangesOf(options);
  const part = ranges && inRanges(ranges);
  if (since === undefined) {
    return part;
  }
  const nodes = createCidSet();
  const keys = new Set<string>();
  for await (const { key, to } of diffTrees(parts.nodes, since.data, head.data, { onNew: (cid) => nodes.add(cid) })) {
    options.signal?.throwIfAborted();
    if (to !== undefined) {
      keys.add(key);
    }
  }
  const difference = inDifference(nodes, keys);
  return part === undefined
    ? difference
    : {
        hasNode: (...node) => difference.hasNode(...node) && part.hasNode(...node),
        hasKey: (key) => difference.hasKey(key) && part.hasKey(key),
      };
};
