/** Garbage collection: removes unreachable blocks, commits and blobs. */
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError } from '../../errors.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { GarbageOptions, GarbageResult } from '../long-work.ts';
import type { Head } from '../repo.ts';
import type { Tid } from '../../syntax/tid.ts';
import { mentionedBlobs } from '../read/blob-mentions.ts';
import type { ReadParts, RepoParts } from '../open-parts.ts';
import { headOf, readCommit } from '../read/head.ts';
import { messageKey } from '../store-names.ts';
import { partsIn } from '../open-parts.ts';
import { raiseEpoch } from './epoch.ts';
import type { Pinnable, Sweep } from './pins.ts';
import { readBase, rootOf } from '../transfer/base.ts';
import { becameHeadAt, forgetJump, markJump } from '../transfer/jumps.ts';
import { isKeptRef, keptRefs } from '../transfer/kept-refs.ts';
import type { ReadNodes } from './reach.ts';
import { batchesOf, nodesPastMissing, reachNodes, reachTree } from './reach.ts';
import { forgetResets } from './resets.ts';

/** Default minimum age of a removed blob: a new record may be about to mention a younger one. */
export const BLOB_AGE_MS: number = 60 * 60 * 1000;

/** Default minimum age of a removed commit where other owners may read it. */
export const COMMIT_AGE_MS: number = 60 * 60 * 1000;

/** Blocks between two calls of `onProgress`. */
const NOTIFY_EVERY = 4096;

/** A commit that stays. The ref of a damaged old head may lack blocks. */
interface Kept extends Head {
  readonly mayLack: boolean;
}

interface KeptCommits {
  readonly kept: readonly Kept[];
  /** Commits of the local history that go. */
  readonly dropped: readonly [Tid, CID][];
  /** The revs of listed commits that stay, and whose predecessor in the list goes. */
  readonly followers: readonly Tid[];
}

/**
 * Returns the commits that stay: the newest ones, the targets of refs, and those that were the head within the last
 * `commitAge` milliseconds.
 */
const keptCommits = async (parts: ReadParts, keep: number, commitAge: number): Promise<KeptCommits> => {
  const since = Date.now() - commitAge;
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
  const followers: Tid[] = [];
  let newest = 0;
  /** Whether the commit was replaced recently. Those before it were replaced earlier. */
  let isRecent = commitAge > 0;
  /** The commit after, if it stays. */
  let next: Tid | undefined;
  for await (const [rev, cid] of parts.store.commits({ reverse: true })) {
    newest += 1;
    if (newest <= keep || isRecent) {
      await retain(cid);
    }
    isRecent &&= (await becameHeadAt(parts.store, rev)) > since;
    if (pinned.has(cidToText(cid))) {
      next = rev;
      continue;
    }
    dropped.push([rev, cid]);
    if (next !== undefined) {
      followers.push(next);
      next = undefined;
    }
  }
  return { kept, dropped, followers };
};

/** Returns all commits, nodes and records that the kept commits reach. */
const reachCommits = async (parts: ReadParts, commits: readonly Kept[], notify: () => void): Promise<CidSet> => {
  const reached = createCidSet();
  for (const { cid, data, mayLack } of commits) {
    reached.add(cid.bytes);
    const read: ReadNodes = mayLack ? (subtrees) => nodesPastMissing(parts.nodes, subtrees) : parts.nodes.nodes;
    await reachTree(read, data, reached);
    notify();
  }
  return reached;
};

/** Adds the blobs that a tree mentions. Stops at the first missing block if the tree may lack blocks. */
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

/** Returns blobs that are old enough and that no record of a kept commit mentions. */
const orphanBlobs = async (
  parts: RepoParts,
  change: BlockChange,
  kept: readonly (Pinnable & { readonly mayLack?: boolean })[],
  blobAge: number,
): Promise<CID[]> => {
  const inside = partsIn(parts, change);
  const mentioned = createCidSet();
  // A pinned commit may have lost blocks before it was pinned.
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

/** Adds everything that running readers need to `reached`. */
const reachPinned = async (parts: ReadParts, pinned: readonly Pinnable[], reached: CidSet): Promise<void> => {
  for (const { cid, data } of pinned) {
    if (cid !== undefined) {
      reached.add(cid.bytes);
    }
    await reachTree((subtrees) => nodesPastMissing(parts.nodes, subtrees), data, reached);
  }
};

/**
 * Returns the nodes, not the records, of the trees that local work is compared with. A separate set, because a reader
 * must not take such a tree for a kept one.
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
 * `Repo.gc`. Marks everything that refs and the newest commits reach and removes the rest, in one transaction. Then
 * erases the removed data from the file and shrinks it.
 */
export const collectGarbage = async (parts: RepoParts, options: GarbageOptions = {}): Promise<GarbageResult> => {
  const { keep = 1, blobs = false, blobAge = BLOB_AGE_MS, compact = false } = options;
  const { commitAge = parts.isOnlyOwner ? 0 : COMMIT_AGE_MS } = options;
  const { dryRun = false, onProgress, signal } = options;
  if (!Number.isInteger(keep) || keep < 1) {
    throw new TypeError(`keep is not a valid number of commits: use a whole number from 1; keep=${keep}`);
  }
  for (const [name, age] of Object.entries({ blobAge, commitAge })) {
    if (typeof age !== 'number' || !(age >= 0)) {
      throw new TypeError(`${name} is not a valid number of milliseconds: use a number from 0; ${name}=${age}`);
    }
  }
  const tally = { phase: 'verify' as 'verify' | 'write', bytes: 0, blocks: 0, records: 0 };
  const notify = (): void => {
    signal?.throwIfAborted();
    onProgress?.({ ...tally });
  };
  const counts = await sweeping(parts, async (change, sweep) => {
    const inside = partsIn(parts, change);
    notify();
    const { kept, dropped, followers } = await keptCommits(inside, keep, commitAge);
    const reached = await reachCommits(inside, kept, notify);
    const pinned = sweep.mark(reached);
    await reachPinned(inside, pinned, reached);
    const nodes = await reachBases(inside);
    const garbage = createCidSet();
    for await (const cid of change.cids()) {
      if (!reached.has(cid.bytes) && !nodes.has(cid.bytes)) {
        garbage.add(cid.bytes);
      }
      tally.blocks += 1;
      if (tally.blocks % NOTIFY_EVERY === 0) {
        notify();
      }
    }
    if (dryRun) {
      const orphans = blobs ? await orphanBlobs(parts, change, [...kept, ...pinned], blobAge) : [];
      return { blocks: garbage.size, commits: dropped.length, blobs: orphans.length };
    }
    tally.phase = 'write';
    for (const batch of batchesOf(garbage)) {
      notify();
      await change.remove(batch);
    }
    for (const [rev, cid] of dropped) {
      await change.removeCommit(rev);
      await change.setMeta(messageKey(cid), undefined);
      await forgetJump(change, rev);
    }
    for (const rev of followers) {
      await markJump(change, rev);
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
    notify();
    return { blocks: garbage.size, commits: dropped.length, blobs: 0 };
  });
  if (dryRun) {
    return { ...counts, bytes: 0 };
  }
  // From here on, an abort would leave the removed data in the file.
  const bytes = (await parts.store.maintenance?.shrink?.({ compact })) ?? 0;
  return { ...counts, blobs: blobs ? await removeOrphans(parts, blobAge) : 0, bytes };
};

/** Runs a change that removes blocks. Waits for running checks, and keeps what readers need. */
const sweeping = async <T>(parts: RepoParts, run: (change: BlockChange, sweep: Sweep) => Promise<T>): Promise<T> => {
  let sweep: Sweep | undefined;
  try {
    return await parts.store.transact(async (change) => {
      sweep = await parts.pins.sweep();
      return run(change, sweep);
    });
  } finally {
    // Only after the change has ended: until then its blocks are still stored.
    sweep?.end();
  }
};

/**
 * Removes the blobs that no stored commit mentions, and returns their number. Runs after the records are durably
 * removed: an orphaned blob wastes space, a missing blob is damage. Runs as a change of its own, so that no write
 * happens between the search and the removal.
 */
const removeOrphans = (parts: RepoParts, blobAge: number): Promise<number> =>
  sweeping(parts, async (change) => {
    const { kept } = await keptCommits(partsIn(parts, change), Infinity, 0);
    const orphans = await orphanBlobs(parts, change, [...kept, ...parts.pins.pinned()], blobAge);
    await parts.blobs.delete(orphans);
    return orphans.length;
  });
