/** Removing what nobody can reach any more. */
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError } from '../../errors.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { GarbageOptions, GarbageResult } from '../long-work.ts';
import type { Head } from '../repo.ts';
import type { Tid } from '../../syntax/tid.ts';
import { mentionedBlobs } from '../read/blobs.ts';
import type { ReadParts, RepoParts } from '../open-parts.ts';
import { headOf, readCommit } from '../read/head.ts';
import { messageKey } from '../store-names.ts';
import { partsIn } from '../open-parts.ts';
import { raiseEpoch } from './epoch.ts';
import type { Pinnable, Sweep } from './pins.ts';
import { readBase, rootOf } from '../transfer/base.ts';
import { isKeptRef, keptRefs } from '../transfer/kept-refs.ts';
import type { ReadNodes } from './reach.ts';
import { batchesOf, nodesPastMissing, reachNodes, reachTree } from './reach.ts';
import { forgetResets } from './resets.ts';

/** A blob that was stored within the last hour may be one that a record is about to mention. */
export const BLOB_AGE_MS: number = 60 * 60 * 1000;

/** A commit that stays. What a damaged head left behind may lack blocks. */
interface Kept extends Head {
  readonly mayLack: boolean;
}

/** The commits that stay: the newest ones, and what refs point to. */
const keptCommits = async (parts: ReadParts, keep: number): Promise<{ kept: Kept[]; dropped: [Tid, CID][] }> => {
  const pinned = new Set<string>();
  const kept: Kept[] = [];
  const retain = async (cid: CID, mayLack = false): Promise<void> => {
    const text = cidToText(cid);
    if (!pinned.has(text)) {
      pinned.add(text);
      kept.push({ ...headOf(cid, await readCommit(parts.store, cid)), mayLack });
    }
  };
  for await (const [name, cid] of parts.store.refs()) {
    await retain(cid, isKeptRef(name));
  }
  const dropped: [Tid, CID][] = [];
  let newest = 0;
  for await (const [rev, cid] of parts.store.commits({ reverse: true })) {
    newest += 1;
    if (newest <= keep) {
      await retain(cid);
    } else if (!pinned.has(cidToText(cid))) {
      dropped.push([rev, cid]);
    }
  }
  return { kept, dropped };
};

/** What the kept commits reach: commits, nodes, records. */
const reachCommits = async (parts: ReadParts, commits: readonly Kept[]): Promise<CidSet> => {
  const reached = createCidSet();
  for (const { cid, data, mayLack } of commits) {
    reached.add(cid.bytes);
    const read: ReadNodes = mayLack ? (subtrees) => nodesPastMissing(parts.nodes, subtrees) : parts.nodes.nodes;
    await reachTree(read, data, reached);
  }
  return reached;
};

/** Adds the blobs that a tree mentions. Of one that may lack blocks, those that it mentions before the first one. */
const addMentioned = async (parts: ReadParts, data: CID, mentioned: CidSet, mayLack: boolean): Promise<void> => {
  try {
    for await (const { cid } of mentionedBlobs(parts, data)) {
      mentioned.add(cid.bytes);
    }
  } catch (error) {
    if (!isRepoError(error, 'BlockNotFound') || !mayLack) {
      throw error;
    }
  }
};

/** Blobs that no record of a kept state mentions, and that are old enough to go. */
const orphanBlobs = async (
  parts: RepoParts,
  change: BlockChange,
  kept: readonly (Pinnable & { readonly mayLack?: boolean })[],
  blobAge: number,
): Promise<CID[]> => {
  const inside = partsIn(parts, change);
  const mentioned = createCidSet();
  // A pinned state may have lost blocks before it was pinned.
  for (const { data, mayLack = true } of kept) {
    await addMentioned(inside, data, mentioned, mayLack);
  }
  const youngest = Date.now() - blobAge;
  const orphans: CID[] = [];
  for await (const { cid, storedAt = 0 } of parts.blobs.list()) {
    const isYoung = Math.max(storedAt, parts.storedBlobs.get(cidToText(cid)) ?? 0) > youngest;
    if (!mentioned.has(cid.bytes) && !isYoung && !parts.pins.needsBlob(cid)) {
      orphans.push(cid);
    }
  }
  return orphans;
};

/** Adds what running readers need to what is kept. */
const reachPinned = async (parts: ReadParts, pinned: readonly Pinnable[], reached: CidSet): Promise<void> => {
  for (const { cid, data } of pinned) {
    if (cid !== undefined) {
      reached.add(cid.bytes);
    }
    await reachTree((subtrees) => nodesPastMissing(parts.nodes, subtrees), data, reached);
  }
};

/**
 * The nodes of the trees from which local work is counted, and not their records. In a set of its own: a reader must
 * not take such a tree for one that is kept.
 */
const reachBases = async (parts: ReadParts): Promise<CidSet> => {
  const nodes = createCidSet();
  const bases = [await readBase(parts.store)];
  for await (const { base } of keptRefs(parts.store)) {
    bases.push(base);
  }
  for (const base of bases) {
    const root = rootOf(base);
    if (root !== undefined) {
      await reachNodes((subtrees) => nodesPastMissing(parts.nodes, subtrees), root, nodes);
    }
  }
  return nodes;
};

/**
 * `Repo.gc`: marks what refs and the newest commits reach, then removes the rest, in one transaction. What was removed
 * is then no longer in the storage, and the room that it had is given back.
 */
export const collectGarbage = async (parts: RepoParts, options: GarbageOptions = {}): Promise<GarbageResult> => {
  const { keep = 1, blobs = false, blobAge = BLOB_AGE_MS, compact = false } = options;
  if (!Number.isInteger(keep) || keep < 1) {
    throw new TypeError(`keep is a whole number of commits, 1 or more; keep=${keep}`);
  }
  if (typeof blobAge !== 'number' || !(blobAge >= 0)) {
    throw new TypeError(`blobAge is a number of milliseconds, 0 or more; blobAge=${blobAge}`);
  }
  const counts = await sweeping(parts, async (change, sweep) => {
    const inside = partsIn(parts, change);
    const { kept, dropped } = await keptCommits(inside, keep);
    const reached = await reachCommits(inside, kept);
    const pinned = sweep.mark(reached);
    await reachPinned(inside, pinned, reached);
    const nodes = await reachBases(inside);
    const garbage = createCidSet();
    for await (const cid of change.cids()) {
      if (!reached.has(cid.bytes) && !nodes.has(cid.bytes)) {
        garbage.add(cid.bytes);
      }
    }
    for (const batch of batchesOf(garbage)) {
      await change.remove(batch);
    }
    for (const [rev, cid] of dropped) {
      await change.removeCommit(rev);
      await change.setMeta(messageKey(cid), undefined);
    }
    if (garbage.size + dropped.length > 0) {
      await raiseEpoch(change);
    }
    if (pinned.length === 0) {
      await forgetResets(
        change,
        kept.map(({ rev }) => rev),
      );
    }
    return { blocks: garbage.size, commits: dropped.length };
  });
  const bytes = (await parts.store.maintenance?.shrink({ compact })) ?? 0;
  return { ...counts, blobs: blobs ? await removeOrphans(parts, blobAge) : 0, bytes };
};

/** Runs a change that removes what checks and readers may be at. */
const sweeping = async <T>(parts: RepoParts, run: (change: BlockChange, sweep: Sweep) => Promise<T>): Promise<T> => {
  let sweep: Sweep | undefined;
  try {
    return await parts.store.transact(async (change) => {
      sweep = await parts.pins.sweep();
      return run(change, sweep);
    });
  } finally {
    // Not before the change is over: until then its blocks are still here.
    sweep?.end();
  }
};

/**
 * Removes the blobs that no commit mentions which is still here; answers how many. After the records that mentioned
 * them are gone for good: a blob that goes too late is only waste. In a turn of its own among the changes, which
 * changes nothing itself: a write that came meanwhile is seen, and none comes between the look and the act.
 */
const removeOrphans = (parts: RepoParts, blobAge: number): Promise<number> =>
  sweeping(parts, async (change) => {
    const { kept } = await keptCommits(partsIn(parts, change), Infinity);
    const orphans = await orphanBlobs(parts, change, [...kept, ...parts.pins.pinned()], blobAge);
    await parts.blobs.delete(orphans);
    return orphans.length;
  });
