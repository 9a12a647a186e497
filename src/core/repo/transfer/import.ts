/**
 * Taking in a CAR. Everything happens in one transaction: blocks are staged as they come; then the commit, the tree and
 * the records are checked where they lie; then what belongs to the tree is written and the head moves. If anything is
 * wrong the transaction is rolled back.
 */
import type { CarOptions } from '../../car/decoder.ts';
import { toDidKey } from '../../crypto/key-source.ts';
import { BoundedList } from '../../data/bounded-list.ts';
import { readPackedCar } from '../../car/reader.ts';
import type { CID, CidBytes } from '../../data/cid.ts';
import { CID_LENGTH, cidEquals, cidToText } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { isRepoError, RepoError } from '../../errors.ts';
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
import { listCommit } from './kept-refs.ts';
import { keepLocalWork } from './local-work.ts';
import { Staging } from './staging.ts';

/**
 * Bytes that nothing in the tree refers to, the names of blocks with them: so many are taken for a mistake, and more
 * for an attack.
 */
export const MAX_UNLINKED: number = 16 * 1024 * 1024;

/**
 * Records that break the data model, in one import. One bad block may stand under a million keys.
 */
export const MAX_RECORD_FAULTS = 100_000;

type Tally = { -readonly [K in keyof Progress]: Progress[K] };

/** Stages the blocks of a CAR and answers its roots. */
const stage = async (
  staging: Staging,
  source: CarSource,
  options: CarOptions,
  tally: Tally,
  tell: () => void,
): Promise<readonly CID[]> => {
  const car = await readPackedCar(source, options);
  for await (const batch of car) {
    tell();
    await staging.add(batch);
    tally.bytes += batch.size;
    tally.blocks += batch.length;
  }
  return car.roots;
};

/** What is wrong with a repository as a whole; a record that breaks the data model is not, unless it is to be. */
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
  /** Every blob that a record mentions. */
  readonly mentioned: CidSet;
}

/** Checks the tree and each of its records in one walk, and links what it consists of. */
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
        throw new RepoError('LimitExceeded', `too many records break the data model; limit=${maxFaults}`);
      }
      await onRecords(batch.length);
    },
  });
  assertFaultless(faults, faultCount);
  assertFaultless(missing.items, missing.count);
  return { leaves, malformed, mentioned: records.mentioned };
};

/** What the new tree changes in the old one. */
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

/** What belongs to nothing is not wanted in any number. */
const assertFewUnlinked = (bytes: number, total: number, most: number): void => {
  if (bytes > most && bytes > 4 * (total - bytes)) {
    throw new RepoError(
      'LimitExceeded',
      `the CAR is mostly blocks that its tree does not refer to; bytes=${bytes} of ${total}`,
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

/** The commit that the CAR is about, in or out of it: a CAR of what is new since the head holds no blocks at all. */
const requireRoot = async (blocks: BlockReader, roots: readonly CID[]): Promise<{ cid: CID; bytes: Uint8Array }> => {
  const [cid] = roots;
  if (cid === undefined) {
    throw new RepoError('Malformed', 'the CAR names no root, so it holds blocks and no repository');
  }
  const bytes = await blocks.get(cid);
  if (bytes === undefined) {
    throw new RepoError('BlockNotFound', `the commit that the CAR names is not in it; cid=${cidToText(cid)}`);
  }
  return { cid, bytes };
};

/** What an import did. */
export interface Imported {
  readonly result: ImportResult;
  /** From the tree before it to its own; `undefined` when the head stayed. */
  readonly transition: Transition | undefined;
}

/** What an import of this name did before; its counts are the note that it left. */
const landed = async (parts: RepoParts, requests: Requests, request: WriteRequest): Promise<Imported | undefined> => {
  const before = await requests.landed(request);
  if (before === undefined) {
    return undefined;
  }
  if (before.note === '' || before.commit === undefined) {
    throw new RepoError(
      'OutcomeUnknown',
      `the import has happened, and the faults and the kept work that it reported are no longer known; did=${parts.did} request=${request.id}`,
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
  // Before anything is read.
  const options = { ...given, key: given.key === undefined ? undefined : toDidKey(given.key, parts.did) };
  const { maxBlocks, maxBlockSize, maxSize, maxUnlinked = MAX_UNLINKED, onProgress, request, signal } = options;
  assertRequest(request);
  const tally: Tally = { phase: 'read', bytes: 0, blocks: 0, records: 0 };
  const tell = (): void => {
    signal?.throwIfAborted();
    onProgress?.({ ...tally });
  };
  const run = async (change: BlockChange, keep: KeepTransition): Promise<Imported> => {
    const requests = request && (await readRequests(change));
    const earlier = requests && (await landed(parts, requests, request));
    if (earlier !== undefined) {
      // It has happened, so that nobody can stop it any more.
      onProgress?.({ ...tally });
      return earlier;
    }
    const before = await readHead(partsIn(parts, change));
    const staging = new Staging(change, source);
    const { hashAll } = parts;
    const roots = await stage(staging, source, { hashAll, maxSize, maxBlocks, maxBlockSize }, tally, tell);
    const { cid, bytes } = await requireRoot(staging, roots);
    const commit = acceptCommit(parts.did, cid, bytes, before, options, parts.verifySignature);
    const isNew = !cidEquals(before?.cid, cid);

    tally.phase = 'verify';
    tell();
    const { leaves, malformed, mentioned } = await checkTree(
      staging,
      cid,
      commit.data,
      hashAll,
      options,
      async (count) => {
        tally.records += count;
        tell();
        await parts.yieldToEvents();
      },
    );
    const [fault] = malformed.items;
    if (options.records === 'reject' && fault !== undefined) {
      throw new RepoError('InvalidRecord', fault.message);
    }

    tally.phase = 'write';
    tell();
    let base = before?.data;
    const counts = await countChanges(staging, base, commit.data, leaves).catch((error: unknown) => {
      if (!isRepoError(error, 'BlockNotFound')) {
        throw error;
      }
      // The new tree was found whole a moment ago: what is missing is of the old one, as a repair may have left it.
      base = undefined;
      return countChanges(staging, base, commit.data, leaves);
    });
    const kept = before && isNew ? await keepLocalWork(change, staging, before, commit.data) : undefined;
    const added = await staging.settle((unlinked) =>
      assertFewUnlinked(unlinked, tally.bytes + tally.blocks * CID_LENGTH, maxUnlinked),
    );
    const missingBlobs = await countMissing(parts.blobs, mentioned);
    await change.setRef(MAIN, cid);
    await listCommit(change, commit.rev, cid);
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
    await requests?.remember(change, request!, commit.rev, noteOf(result));
    return { result, transition: isNew ? keep(base, commit.data) : undefined };
  };
  return keepingTransition(parts.pins, (keep) => parts.store.transact((change) => run(change, keep)));
};
