/** Removing what nobody can reach any more. */
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import type { GarbageOptions, GarbageResult } from '../long-work.ts';
import type { Head } from '../repo.ts';
import type { Tid } from '../../syntax/tid.ts';
import { mentionedBlobs } from '../read/blobs.ts';
import type { ReadParts, RepoParts } from '../parts.ts';
import { headOf, messageKey, partsIn, readCommit } from '../parts.ts';
import { batchesOf, reachTree } from './reach.ts';

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

/** Blobs that no record of a kept commit mentions. */
const orphanBlobs = async (parts: ReadParts, kept: readonly Head[]): Promise<CID[]> => {
  const mentioned = createCidSet();
  for (const { data } of kept) {
    for await (const { cid } of mentionedBlobs(parts, data)) {
      mentioned.add(cid.bytes);
    }
  }
  const orphans: CID[] = [];
  for await (const { cid } of parts.blobs.list()) {
    if (!mentioned.has(cid.bytes)) {
      orphans.push(cid);
    }
  }
  return orphans;
};

/** `Repo.gc`: marks what refs and the newest commits reach, then removes the rest, in one transaction. */
export const collectGarbage = async (parts: RepoParts, options: GarbageOptions = {}): Promise<GarbageResult> => {
  const { keep = 1, blobs = false } = options;
  if (!Number.isInteger(keep) || keep < 1) {
    throw new TypeError(`keep is a whole number of commits, 1 or more; keep=${keep}`);
  }
  const counts = await parts.store.transact(async (change) => {
    const inside = partsIn(parts, change);
    const { kept, dropped } = await keptCommits(inside, keep);
    const reached = await reachCommits(inside, kept);
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
    return { blocks: garbage.size, commits: dropped.length };
  });
  return { ...counts, blobs: blobs ? await removeOrphans(parts) : 0 };
};

/**
 * Removes the blobs that no commit mentions which is still here; answers how many. After the records that mentioned
 * them are gone for good: a blob that goes too late is only waste. In a turn of its own among the changes, which
 * changes nothing itself: a write that came meanwhile is seen, and none comes between the look and the act.
 */
const removeOrphans = (parts: RepoParts): Promise<number> =>
  parts.store.transact(async (change) => {
    const inside = partsIn(parts, change);
    const { kept } = await keptCommits(inside, Infinity);
    const orphans = await orphanBlobs(inside, kept);
    await parts.blobs.delete(orphans);
    return orphans.length;
  });
