/** Reads of a storage with the pending writes of a change applied. */
import type { NamedBlock } from '../blocks/block.ts';
import type { CID, CidLike } from '../data/cid.ts';
import { cidToText } from '../data/cid.ts';
import { compareText } from '../data/bytes.ts';
import type { Tid } from '../syntax/tid.ts';
import type { List, ReaderSource } from './checked-reader.ts';
import type { CommitRange } from './ports.ts';

/** The pending writes of a change. `undefined` removes an entry. */
export interface PendingWrites {
  readonly refs: Map<string, CID | undefined>;
  readonly meta: Map<string, string | undefined>;
  readonly commits: Map<Tid, CID | undefined>;
  /** CID texts of the blocks to remove. */
  readonly removed: Set<string>;
  /** Blocks to add, by their CID texts. Empty unless the source has `stagedBytes`. None of them is in `removed`. */
  readonly staged: Map<string, NamedBlock>;
}

/**
 * Returns the reads of `stored` with the writes of `pending` applied. `stored` already has the blocks that the change
 * added, also the staged ones.
 */
export const readsAfter = (stored: ReaderSource, pending: PendingWrites): ReaderSource => {
  const { commits, meta, refs, removed } = pending;
  const isRemoved = (cid: CidLike): boolean => removed.size > 0 && removed.has(cidToText(cid));
  return {
    isDistant: stored.isDistant,
    get: (cid) => (isRemoved(cid) ? undefined : stored.get(cid)),
    async getMany(cids) {
      const found = await stored.getMany(cids);
      return removed.size === 0 ? found : found.map((bytes, i) => (isRemoved(cids[i]!) ? undefined : bytes));
    },
    ref: (name) => (refs.has(name) ? refs.get(name) : stored.ref(name)),
    meta: (name) => (meta.has(name) ? meta.get(name) : stored.meta(name)),
    metaEntries: (prefix = '') =>
      mergedWith(
        meta,
        () => stored.metaEntries(prefix),
        (name) => name.startsWith(prefix),
      ),
    commit: (rev) => (commits.has(rev) ? commits.get(rev) : stored.commit(rev)),
    ...listsAfter(stored, pending),
  };
};

/** Returns the lists of `stored` with the writes of `pending` applied. */
export const listsAfter = (
  stored: Pick<ReaderSource, 'cids' | 'commits' | 'refs'>,
  { commits, refs, removed }: PendingWrites,
): Pick<ReaderSource, 'cids' | 'commits' | 'refs'> => ({
  refs: () => mergedWith(refs, () => stored.refs()),
  commits: (range: CommitRange = {}) => mergedWith(commits, () => stored.commits(range), isIn(range), range.reverse),
  cids: () => (removed.size === 0 ? stored.cids() : without(stored.cids(), (cid) => removed.has(cidToText(cid)))),
});

const isIn =
  ({ after, before }: CommitRange) =>
  (rev: Tid): boolean =>
    (after === undefined || rev > after) && (before === undefined || rev < before);

async function* without<T>(list: List<T>, isExcluded: (entry: T) => boolean): AsyncGenerator<T, void, undefined> {
  for await (const entry of list) {
    if (!isExcluded(entry)) {
      yield entry;
    }
  }
}

/** Merges pending entries into the stored entries, in order. */
async function* mergedWith<K extends string, V>(
  pending: ReadonlyMap<K, V | undefined>,
  stored: () => List<[K, V]>,
  isWanted: (name: K) => boolean = () => true,
  reverse = false,
): AsyncGenerator<[K, V], void, undefined> {
  const order = (a: K, b: K): number => (reverse ? compareText(b, a) : compareText(a, b));
  const waiting = [...pending].filter(([name]) => isWanted(name)).sort(([a], [b]) => order(a, b));
  let next = 0;
  for await (const entry of stored()) {
    for (; next < waiting.length && order(waiting[next]![0], entry[0]) < 0; next++) {
      yield* present(waiting[next]!);
    }
    if (waiting[next]?.[0] === entry[0]) {
      yield* present(waiting[next]!);
      next += 1;
    } else {
      yield entry;
    }
  }
  for (; next < waiting.length; next++) {
    yield* present(waiting[next]!);
  }
}

const present = <K, V>([name, value]: readonly [K, V | undefined]): [K, V][] =>
  value === undefined ? [] : [[name, value]];
