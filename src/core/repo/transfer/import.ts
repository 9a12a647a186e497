/**
 * `Repo.importCar`, in one transaction. Stages the blocks, checks the commit, the tree and the records in the staging
 * area, then writes the blocks of the tree and moves the head. If a check fails, the transaction is rolled back.
 */
import type { CarOptions } from '../../car/decoder.ts';
import { toDidKey } from '../../crypto/key-source.ts';
import { BoundedList } from '../../data/bounded-list.ts';
import { readPackedCar } from '../../car/reader.ts';
import type { CID, CidBytes } from '../../data/cid.ts';
import { CID_LENGTH, cidEquals } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import { noRoot, rootMissing } from '../root-commit.ts';
import { diffTrees } from '../../mst/diff.ts';
import { createNodeReader } from '../../mst/node-reader.ts';
import { verifyTreeOf } from '../../mst/verify.ts';
import type { ImportOptions, ImportResult, Progress } from '../long-work.ts';
import type { CarSource } from '../../car/source.ts';
import type { Fault } from '../../data/fault.ts';
import type { HashAll } from '../../data/sha256.ts';
import type { BlobStore, BlockChange, BlockReader } from '../../storage/ports.ts';
import type { WriteRequest } from '../write/write-request.ts';
import { acceptCommit } from '../write/accept.ts';
import { createRecordCheck } from './check-records.ts';
import type { KeepTransition, Transition } from '../read/transition.ts';
import { keepingTransition } from '../read/transition.ts';
import { createAssertPath } from '../path.ts';
import type { RepoParts } from '../open-parts.ts';
import { MAIN } from '../store-names.ts';
import { partsIn } from '../open-parts.ts';
import { readHead } from '../read/head.ts';
import type { Requests } from '../write/requests.ts';
import { setMetaValues } from '../write/meta.ts';
import { assertRequest, readRequests } from '../write/requests.ts';
import { noteKey } from '../write/other-key.ts';
import { setBase } from './base.ts';
import { markJump } from './jumps.ts';
import { listCommit } from './kept-refs.ts';
import { keepLocalWork } from './local-work.ts';
import { Staging } from './staging.ts';

/** Default limit of unreferenced bytes in a CAR, CIDs included. More is treated as an attack. */
export const MAX_UNLINKED: number = 16 * 1024 * 1024;

/** Default limit of records that break the data model. One bad block may be the value of a million keys. */
export const MAX_RECORD_FAULTS = 100_000;

type Tally = { -readonly [K in keyof Progress]: Progress[K] };

/** Stages the blocks of a CAR and returns its roots. */
const stage = async (
  staging: Staging,
  source: CarSource,
  options: CarOptions,
  tally: Tally,
  notify: () => void,
): Promise<readonly CID[]> => {
  const car = await readPackedCar(source, options);
  for await (const batch of car) {
    notify();
    await staging.add(batch);
    tally.bytes += batch.size;
    tally.blocks += batch.length;
  }
  return car.roots;
};

/** Rejects on faults of the tree. Records that break the data model are reported separately. */
const assertFaultless = (faults: readonly Fault[], count: number): void => {
  const [first] = faults;
  if (first !== undefined) {
    const more = count === 1 ? '' : ` (and ${count - 1} more)`;
    throw new RepoError(first.code, `${first.message}${more}`);
  }
};

interface CheckedTree {
  readonly leaves: number;
  /** Records that break the data model. */
  readonly malformed: BoundedList<Fault>;
  /** All blobs that records mention. */
  readonly mentioned: CidSet;
}

/** Checks the tree and its records in one walk, and links their blocks. */
const checkTree = async (
  staging: Staging,
  commit: CID,
  root: CID,
  hashAll: HashAll | undefined,
  { maxFaults = MAX_RECORD_FAULTS, signal }: ImportOptions,
  onRecords: (count: number) => Promise<void>,
): Promise<CheckedTree> => {
  staging.link(commit.bytes);
  const malformed = new BoundedList<Fault>();
  const missing = new BoundedList<Fault>();
  const records = createRecordCheck(
    (cids) => staging.read(cids),
    staging,
    (fault) => (fault.code === 'Malformed' ? malformed : missing).add(fault),
  );
  const assertPath = createAssertPath();
  const { faults, faultCount, leaves } = await verifyTreeOf((cids) => staging.read(cids), root.bytes as CidBytes, {
    signal,
    hashAll,
    hashed: staging,
    onNode: (cid) => staging.link(cid),
    async onLeaves(batch) {
      for (const { key, value } of batch) {
        assertPath(key);
        staging.link(value);
      }
      await records.check(batch);
      if (malformed.count + missing.count > maxFaults) {
        throw new RepoError(
          'LimitExceeded',
          `too many records break the data model: raise maxFaults to import them; limit=${maxFaults}`,
        );
      }
      await onRecords(batch.length);
    },
  });
  assertFaultless(faults, faultCount);
  assertFaultless(missing.items, missing.count);
  return { leaves, malformed, mentioned: records.mentioned };
};

/** Counts the changes from the old tree to the new one. */
const countChanges = async (
  blocks: BlockReader,
  before: CID | undefined,
  after: CID,
  leaves: number,
): Promise<Pick<ImportResult, 'created' | 'deleted' | 'unchanged' | 'updated'>> => {
  let [created, updated, deleted] = [0, 0, 0];
  if (before === undefined) {
    created = leaves;
  } else {
    for await (const { from, to } of diffTrees(createNodeReader(blocks), before, after)) {
      if (from === undefined) {
        created += 1;
      } else if (to === undefined) {
        deleted += 1;
      } else {
        updated += 1;
      }
    }
  }
  return { created, updated, deleted, unchanged: leaves - created - updated };
};

/** Limits the bytes that the tree does not reference. */
const assertFewUnlinked = (bytes: number, total: number, most: number): void => {
  if (bytes > most && bytes > 4 * (total - bytes)) {
    throw new RepoError(
      'LimitExceeded',
      `most blocks of the CAR are not part of its tree: raise maxUnlinked to import it; bytes=${bytes} of ${total}`,
    );
  }
};

const countMissing = async (blobs: BlobStore, mentioned: CidSet): Promise<number> => {
  let missing = mentioned.size;
  if (missing === 0) {
    return 0;
  }
  for await (const { cid } of blobs.list()) {
    if (mentioned.has(cid.bytes)) {
      missing -= 1;
    }
  }
  return missing;
};

/** Returns the commit at the root. It may be stored already: a CAR of new blocks since the head has no blocks. */
const requireRoot = async (blocks: BlockReader, roots: readonly CID[]): Promise<{ cid: CID; bytes: Uint8Array }> => {
  const [cid] = roots;
  if (cid === undefined) {
    throw noRoot();
  }
  const bytes = await blocks.get(cid);
  if (bytes === undefined) {
    throw rootMissing(cid);
  }
  return { cid, bytes };
};

/** The result of an import, and the change of the head. */
export interface Imported {
  readonly result: ImportResult;
  /** `undefined` if the head did not change. */
  readonly transition: Transition | undefined;
}

/** Returns the result of an earlier import with the same name. Its note has the counts. */
const findPastImport = async (
  parts: RepoParts,
  requests: Requests,
  request: WriteRequest,
): Promise<Imported | undefined> => {
  const before = await requests.find(request);
  if (before === undefined) {
    return undefined;
  }
  if (before.note === '' || before.commit === undefined) {
    throw new RepoError(
      'OutcomeUnknown',
      `the import has happened, but its faults and kept work are no longer known: run verify, and see the refs; did=${parts.did} request=${request.id}`,
    );
  }
  const [blocks, created, updated, deleted, unchanged, missingBlobs] = before.note.split(' ').map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const { cid: head, rev } = before.commit;
  return {
    result: { head, rev, blocks, created, updated, deleted, unchanged, missingBlobs, faults: [], faultCount: 0 },
    transition: undefined,
  };
};

const noteOf = ({
  blocks,
  created,
  updated,
  deleted,
  unchanged,
  missingBlobs,
  faultCount,
  kept,
}: ImportResult): string =>
  faultCount > 0 || kept !== undefined ? '' : [blocks, created, updated, deleted, unchanged, missingBlobs].join(' ');

/** `Repo.importCar`. */
export const importCar = async (parts: RepoParts, source: CarSource, given: ImportOptions = {}): Promise<Imported> => {
  // Checked before anything is read.
  const options = { ...given, key: given.key === undefined ? undefined : toDidKey(given.key, parts.did) };
  const { maxBlocks, maxBlockSize, maxSize, maxUnlinked = MAX_UNLINKED, onProgress, request, signal } = options;
  assertRequest(request);
  const tally: Tally = { phase: 'read', bytes: 0, blocks: 0, records: 0 };
  const notify = (): void => {
    signal?.throwIfAborted();
    onProgress?.({ ...tally });
  };
  const run = async (change: BlockChange, keep: KeepTransition): Promise<Imported> => {
    const requests = request && (await readRequests(change));
    const earlier = requests && (await findPastImport(parts, requests, request));
    if (earlier !== undefined) {
      // The import has happened, so the signal is ignored.
      onProgress?.({ ...tally });
      return earlier;
    }
    const before = await readHead(partsIn(parts, change));
    const staging = new Staging(change, source);
    const { hashAll } = parts;
    const roots = await stage(staging, source, { hashAll, maxSize, maxBlocks, maxBlockSize }, tally, notify);
    const { cid, bytes } = await requireRoot(staging, roots);
    const commit = acceptCommit(parts.did, cid, bytes, before, options, parts.verifySignature);
    const isNew = !cidEquals(before?.cid, cid);

    tally.phase = 'verify';
    notify();
    const { leaves, malformed, mentioned } = await checkTree(
      staging,
      cid,
      commit.data,
      hashAll,
      options,
      async (count) => {
        tally.records += count;
        notify();
        await parts.yieldToEvents();
      },
    );
    const [fault] = malformed.items;
    if (options.records === 'reject' && fault !== undefined) {
      throw new RepoError('InvalidRecord', fault.message);
    }

    tally.phase = 'write';
    notify();
    let base = before?.data;
    const counts = await countChanges(staging, base, commit.data, leaves).catch((error: unknown) => {
      if (!isRepoError(error, 'BlockNotFound')) {
        throw error;
      }
      // The new tree was just verified, so the missing block belongs to the old tree, after a repair.
      base = undefined;
      return countChanges(staging, base, commit.data, leaves);
    });
    const kept = before && isNew ? await keepLocalWork(change, staging, before, commit.data) : undefined;
    const added = await staging.flush((unlinked) =>
      assertFewUnlinked(unlinked, tally.bytes + tally.blocks * CID_LENGTH, maxUnlinked),
    );
    const missingBlobs = await countMissing(parts.blobs, mentioned);
    await change.setRef(MAIN, cid);
    await listCommit(change, commit.rev, cid);
    if (isNew) {
      await markJump(change, commit.rev);
    }
    await setBase(change, { cid, rev: commit.rev, data: commit.data });
    await noteKey(parts, change, cid, options.key);
    await setMetaValues(change, options.meta);
    const counted: ImportResult = {
      head: cid,
      rev: commit.rev,
      blocks: added,
      ...counts,
      missingBlobs,
      faults: malformed.items,
      faultCount: malformed.count,
    };
    const result = kept === undefined ? counted : { ...counted, kept };
    await requests?.add(change, request!, commit.rev, noteOf(result));
    return { result, transition: isNew ? keep(base, commit.data) : undefined };
  };
  return keepingTransition(parts.pins, (keep) => parts.store.transact((change) => run(change, keep)));
};
