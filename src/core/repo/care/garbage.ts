/** Removing what nobody can reach any more. */
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError } from '../../errors.ts';
import type { Node } from '../../mst/node.ts';
import type { Subtree } from '../../mst/read-nodes.ts';
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
import type { Pinnable, Pins, Sweep } from './pins.ts';
import { batchesOf, reachTree } from './reach.ts';

/** A blob that was stored within the last hour may be one that a record is about to mention. */
export const BLOB_AGE_MS: number = 60 * 60 * 1000;

/** The commits that stay: the newest ones, and what refs point to. */
const keptCommits = async (parts: ReadParts, keep: number): Promise<{ kept: Head[]; dropped: [Tid, CID][] }> => {
  const pinned = new Set<string>();
  const kept: Head[] = [];
  const retain = async (cid: CID): Promise<void> => {
    const text = cidToText(cid);
    if (!pinned.has(text)) {
      pinned.add(text);
      kept.push(headOf(cid, await readCommit(parts.store, cid)));
    }
  };
  for await (const [, cid] of parts.store.refs()) {
    await retain(cid);
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
const reachCommits = async (parts: ReadParts, commits: readonly Head[]): Promise<CidSet> => {
  const reached = createCidSet();
  for (const { cid, data } of commits) {
    reached.add(cid.bytes);
    await reachTree(parts.nodes.nodes, data, reached);
  }
  return reached;
};

/** Adds the blobs that a tree mentions. A pinned tree may lack blocks; what it mentions before those is kept. */
const addMentioned = async (parts: ReadParts, pins: Pins, data: CID, mentioned: CidSet): Promise<void> => {
  try {
    for await (const { cid } of mentionedBlobs(parts, data)) {
      mentioned.add(cid.bytes);
    }
  } catch (error) {
    if (!isRepoError(error, 'BlockNotFound') || !pins.pinned().some((state) => cidEquals(state.data, data))) {
      throw error;
    }
  }
};

/** Blobs that no record of a kept state mentions, and that are old enough to go. */
const orphanBlobs = async (
  parts: RepoParts,
  change: BlockChange,
  kept: readonly Pinnable[],
  blobAge: number,
): Promise<CID[]> => {
  const inside = partsIn(parts, change);
  const mentioned = createCidSet();
  for (const { data } of kept) {
    await addMentioned(inside, parts.pins, data, mentioned);
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

/** Reads nodes, past those of a pinned state that were removed before it was pinned. */
const readPastMissing = async (
  parts: ReadParts,
  subtrees: readonly Subtree[],
): Promise<readonly (Node | undefined)[]> => {
  try {
    return await parts.nodes.nodes(subtrees);
  } catch (error) {
    if (!isRepoError(error, 'BlockNotFound')) {
      throw error;
    }
    if (subtrees.length === 1) {
      return [undefined];
    }
  }
  const found: (Node | undefined)[] = [];
  for (const subtree of subtrees) {
    found.push(...(await readPastMissing(parts, [subtree])));
  }
  return found;
};

/** Adds what running readers need to what is kept. */
const reachPinned = async (parts: ReadParts, pinned: readonly Pinnable[], reached: CidSet): Promise<void> => {
  for (const { cid, data } of pinned) {
    if (cid !== undefined) {
      reached.add(cid.bytes);
    }
    await reachTree((subtrees) => readPastMissing(parts, subtrees), data, reached);
  }
};

/** `Repo.gc`: marks what refs and the newest commits reach, then removes the rest, in one transaction. */
export const collectGarbage = async (parts: RepoParts, options: GarbageOptions = {}): Promise<GarbageResult> => {
  const { keep = 1, blobs = false, blobAge = BLOB_AGE_MS } = options;
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
    await reachPinned(inside, sweep.mark(reached), reached);
    const garbage = createCidSet();
    for await (const cid of change.cids()) {
      if (!reached.has(cid.bytes)) {
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
    return { blocks: garbage.size, commits: dropped.length };
  });
  return { ...counts, blobs: blobs ? await removeOrphans(parts, blobAge) : 0 };
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
