/** `Repo.verify`: checks everything that is stored and reports all faults. No fault stops the search. */
import { BoundedList } from '../../data/bounded-list.ts';
import type { CID, CidBytes } from '../../data/cid.ts';
import { cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import { createCidSet } from '../../data/cid-set.ts';
import type { Commit } from '../commit.ts';
import { decodeCommitBlock } from '../commit.ts';
import { isRepoError } from '../../errors.ts';
import { createNodeReader } from '../../mst/node-reader.ts';
import { hasInvalidRows, lenientReads } from '../../storage/lenient-reads.ts';
import { toDidKey } from '../../crypto/key-source.ts';
import { verifyTree } from '../../mst/verify.ts';
import type { VerifyOptions, VerifyReport } from '../long-work.ts';
import { listOf } from '../../data/list-of.ts';
import type { Fault } from '../../data/fault.ts';
import { addLeaves, storedCounts } from '../read/collection-counts.ts';
import { resolveCommit } from '../read/history.ts';
import { preload } from '../transfer/preload.ts';
import { createRecordCheck } from '../transfer/check-records.ts';
import type { RepoParts } from '../open-parts.ts';
import { MAIN } from '../store-names.ts';
import type { ReadNodes } from './reach.ts';
import { nodesPastFaults, reachTree } from './reach.ts';
import { hasOnlyBranches, searchRepo } from './repair-search.ts';
import { pastDamage, surveyBlocks } from './survey.ts';
import { checkBlobs } from './verify-blobs.ts';
import { checkClock, checkSignature } from './verify-head.ts';
import type { Search } from './verify-search.ts';
import { report } from './verify-search.ts';

/** Blocks between two calls of `onProgress`. */
const NOTIFY_EVERY = 512;

/** Attempts to read the names while others write. Then the head is newer than the list, which is no fault. */
const NAME_ATTEMPTS = 5;

/** The refs and the list of commits, read before the blocks. Later writes have blocks that were not read. */
interface Names {
  readonly head: CID | undefined;
  readonly refs: readonly (readonly [name: string, cid: CID])[];
  readonly listed: readonly (readonly [rev: string, cid: CID])[];
}

/** Checks the hash of every stored block. */
const checkBlocks = async (search: Search): Promise<void> => {
  const { sound, damaged } = await surveyBlocks(search.parts.store, search.parts.hashAll, (cid, bytes, isSound) => {
    search.tally.blocks += 1;
    search.tally.bytes += bytes?.length ?? 0;
    if (!isSound) {
      report(
        search,
        'Corrupt',
        `the stored bytes do not match the CID: run repair, then import a CAR; cid=${cidToText(cid)}`,
        { cid },
      );
    }
    if (search.tally.blocks % NOTIFY_EVERY === 0) {
      search.notify();
    }
  });
  search.sound = sound;
  search.damaged = damaged;
};

/** Reports a missing block. A damaged block was reported before. */
const reportMissing = (search: Search, cid: CidBytes, path: string): void => {
  if (!search.damaged.has(cid) && !search.sound.has(cid)) {
    const missing = decodeCid(cid.slice());
    report(
      search,
      'BlockNotFound',
      `block not found: import a CAR that has it; path=${path} cid=${cidToText(missing)}`,
      { path, cid: missing },
    );
  }
};

/** Returns the commit that a ref or the list names. Otherwise reports a fault and returns `undefined`. */
const readCommit = async (search: Search, cid: CID, path: string): Promise<Commit | undefined> => {
  const { did, store } = search.parts;
  if (!search.sound.has(cid.bytes)) {
    reportMissing(search, cid.bytes as CidBytes, path);
    return undefined;
  }
  try {
    const commit = decodeCommitBlock(cid, (await store.get(cid))!);
    if (commit.did !== did) {
      report(search, 'WrongDid', `the commit is of another account; path=${path} did=${commit.did}`, { path, cid });
    }
    return commit;
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    report(search, 'Corrupt', `the block is not a commit: ${error.message}; path=${path}`, { path, cid });
    return undefined;
  }
};

const haveEqualEntries = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);

/** Checks the tree of a commit, each of its records, and their stored counts. */
const checkHead = async (search: Search, commit: Commit, signal: AbortSignal | undefined): Promise<void> => {
  const counts = new Map<string, number>();
  const { count: faultsBefore } = search.faults;
  const { reached, damaged, sound, tally } = search;
  const { hashAll, store } = search.parts;
  // SQLite has the blocks in its cache. Any other store was scanned before, and is scanned again.
  const blocks = pastDamage(hasInvalidRows(store.maintenance) ? store : await preload(store, signal));
  const onFault = (fault: Fault): void => {
    // A damaged block was reported before.
    if (fault.cid === undefined || !damaged.has(fault.cid.bytes)) {
      search.add(fault);
    }
  };
  const records = createRecordCheck((cids) => blocks.getMany(cids), sound, onFault);
  await verifyTree(blocks, commit.data, {
    signal,
    hashAll,
    hashed: sound,
    onFault,
    onNode: (cid) => reached.add(cid),
    async onLeaves(leaves) {
      for (const { value } of leaves) {
        reached.add(value);
      }
      addLeaves(counts, leaves);
      await records.check(leaves);
      tally.records += leaves.length;
      search.notify();
    },
  });
  const stored = await storedCounts(store);
  // A tree with faults may lack records.
  const isComplete = search.faults.count === faultsBefore;
  if (isComplete && cidEquals(stored?.data, commit.data) && !haveEqualEntries(stored!.counts, counts)) {
    report(search, 'Corrupt', 'the stored counts of the collections are wrong: run repair', { path: 'counts' });
  }
};

/** Checks that the commits of other refs and of the history are stored, with every block of their trees. */
const checkHistory = async (search: Search, { refs, listed }: Names): Promise<void> => {
  const { hashAll, store } = search.parts;
  const nodes = createNodeReader(store, { capacity: 0, hashAll, hashed: search.sound });
  const checkCommit = async (cid: CID, path: string, rev: string | undefined): Promise<void> => {
    const commit = await readCommit(search, cid, path);
    if (commit === undefined) {
      return;
    }
    if (rev !== undefined && commit.rev !== rev) {
      report(
        search,
        'Corrupt',
        `the list of commits has another rev for this commit: run repair; listed=${rev} rev=${commit.rev}`,
        { path, cid },
      );
    }
    const readSound: ReadNodes = async (subtrees) => {
      for (const { subtree } of subtrees) {
        reportMissing(search, subtree, path);
      }
      return nodesPastFaults(
        nodes,
        subtrees.filter(({ subtree }) => search.sound.has(subtree)),
        ({ subtree }, { message }) =>
          report(search, 'Corrupt', `${message}; path=${path}`, { path, cid: decodeCid(subtree.slice()) }),
      );
    };
    await reachTree(readSound, commit.data, search.reached, (key, value) => reportMissing(search, value, key));
  };
  for (const [name, cid] of refs) {
    if (name !== MAIN) {
      await checkCommit(cid, name, undefined);
    }
  }
  for (const [rev, cid] of listed) {
    await checkCommit(cid, rev, rev);
  }
};

/** Compares the head with the list of commits. Each change writes both. */
const checkList = async (search: Search, { head, listed }: Names, commit: Commit | undefined): Promise<void> => {
  let newest: readonly [rev: string, cid: CID] | undefined;
  for (const entry of listed) {
    newest = newest === undefined || entry[0] > newest[0] ? entry : newest;
  }
  if (head === undefined && (newest !== undefined || search.tally.blocks > 0)) {
    if (hasOnlyBranches(await searchRepo(search.parts, () => undefined))) {
      return;
    }
    const found = newest === undefined ? `blocks=${search.tally.blocks}` : `newest=${newest[0]}`;
    report(search, 'Corrupt', `blocks or commits are stored, but there is no head: run repair; ${found}`, {
      path: MAIN,
    });
  } else if (commit !== undefined && newest !== undefined && newest[0] >= commit.rev && !cidEquals(newest[1], head)) {
    report(
      search,
      'Corrupt',
      `the head is not the newest commit of the list: run repair; head=${commit.rev} newest=${newest[0]}`,
      {
        path: MAIN,
        cid: newest[1],
      },
    );
  }
};

/**
 * `Repo.verify`.
 * @param onFault Called for each fault, including those that the report only counts.
 */
export const verifyRepo = (
  parts: RepoParts,
  options: VerifyOptions = {},
  onFault?: (fault: Fault) => void,
): Promise<VerifyReport> => parts.pins.check(() => checkRepo(parts, options, onFault));

const checkRepo = async (
  parts: RepoParts,
  options: VerifyOptions,
  onFault: ((fault: Fault) => void) | undefined,
): Promise<VerifyReport> => {
  const { at, signal, onProgress } = options;
  // Checked before anything is read, even if the head has no signature.
  const key = options.key === undefined ? undefined : toDidKey(options.key, parts.did);
  const list = new BoundedList<Fault>();
  const search: Search = {
    parts,
    faults: list,
    add(fault) {
      list.add(fault);
      onFault?.(fault);
    },
    tally: { phase: 'verify', bytes: 0, blocks: 0, records: 0 },
    sound: createCidSet(),
    damaged: createCidSet(),
    reached: createCidSet(),
    notify() {
      signal?.throwIfAborted();
      onProgress?.({ ...search.tally });
    },
  };
  /** Runs a part of the search. Reports damage that stops it, so that other parts still run. */
  const guarded = async <T>(part: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await part();
    } catch (error) {
      if (!isRepoError(error, 'Corrupt')) {
        throw error;
      }
      if (!search.faults.items.some(({ message }) => message === error.message)) {
        report(search, error.code, error.message);
      }
      return undefined;
    }
  };
  const chosen = at === undefined ? undefined : (await resolveCommit(parts, at)).cid;
  const lenient = lenientReads(parts.store);
  const readNames = async (): Promise<Names> => {
    let head = await guarded(() => parts.store.ref(MAIN));
    for (let attempt = 1; ; attempt++) {
      const refs = (await guarded(() => listOf(lenient.refs()))) ?? [];
      const listed = (await guarded(() => listOf(lenient.commits()))) ?? [];
      const after = await guarded(() => parts.store.ref(MAIN));
      // A list that is newer than the head would look like a fault.
      if (cidEquals(head, after) || attempt === NAME_ATTEMPTS) {
        return { head: after, refs, listed };
      }
      head = after;
    }
  };
  const names = await readNames();
  for (const message of (await parts.store.maintenance?.check?.()) ?? []) {
    report(search, 'Corrupt', message);
  }
  await guarded(async () => {
    const { count = 0, messages = [] } = (await parts.store.maintenance?.invalidRows?.()) ?? {};
    for (const message of messages) {
      report(search, 'Corrupt', message);
    }
    search.faults.addCount(count - messages.length);
  });
  await guarded(() => checkBlocks(search));

  const { head } = names;
  const commit = head && (await guarded(() => readCommit(search, head, MAIN)));
  const subject = chosen ?? head;
  const checked = chosen === undefined ? commit : await guarded(() => readCommit(search, chosen, cidToText(chosen)));
  let signature: VerifyReport['signature'] = 'none';
  if (subject !== undefined && checked !== undefined) {
    const bytes = (await parts.store.get(subject))!;
    signature = checkSignature(search, subject, checked, bytes, key);
    await guarded(() => checkHead(search, checked, signal));
  }
  const clockAhead = checkClock(search, head, commit);
  await guarded(() => checkList(search, names, commit));
  await guarded(() => checkHistory(search, names));
  const blobs = (await guarded(() => checkBlobs(search, signal))) ?? 0;
  search.notify();
  const { records, blocks } = search.tally;
  const { items: faults, count: faultCount } = search.faults;
  const result: VerifyReport = { ok: faultCount === 0, faults, faultCount, signature, records, blocks, blobs };
  return clockAhead === undefined ? result : { ...result, clockAhead };
};
