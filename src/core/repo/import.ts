/**
 * Taking in a CAR. Everything happens in one transaction: blocks go in as they come, so that memory holds their names
 * and not their bytes; then the commit, the tree and the records are checked where they lie; then the head moves. If
 * anything is wrong the transaction is rolled back.
 */
import { readCarStream } from '../car-reader.ts';
import type { CID } from '../cid.ts';
import { cidEquals, cidToText } from '../cid.ts';
import type { CidSet } from '../cid-set.ts';
import { createCidSet } from '../cid-set.ts';
import { RepoError } from '../errors.ts';
import { diffTrees } from '../mst/diff.ts';
import { createNodeReader } from '../mst/node-reader.ts';
import { verifyTree } from '../mst/verify.ts';
import type { CarSource, Fault, ImportOptions, ImportResult, Progress } from '../long-work.ts';
import type { BlobStore, BlockChange } from '../store.ts';
import type { WriteRequest } from '../write-request.ts';
import { acceptCommit } from './accept.ts';
import type { RecordCheck } from './check-records.ts';
import { createRecordCheck } from './check-records.ts';
import type { Transition } from './listeners.ts';
import { assertPath } from './path.ts';
import type { RepoParts } from './parts.ts';
import { MAIN, readHead } from './parts.ts';
import type { Requests } from './requests.ts';
import { assertRequest, readRequests } from './requests.ts';
import { batchesOf } from './reach.ts';

/** Bytes that nothing in the tree refers to: so many are taken for a mistake, and more for an attack. */
const MAX_UNLINKED: number = 16 * 1024 * 1024;

type Tally = { -readonly [K in keyof Progress]: Progress[K] };

interface Staged {
  readonly roots: readonly CID[];
  /** What was not here before, to be removed again if nothing refers to it. */
  readonly fresh: CidSet;
}

const stage = async (change: BlockChange, source: CarSource, tally: Tally, tell: () => void): Promise<Staged> => {
  const car = await readCarStream(source);
  const fresh = createCidSet();
  for await (const batch of car) {
    tell();
    const added = await change.put(batch);
    for (const [i, { cid, bytes }] of batch.entries()) {
      tally.bytes += bytes.length;
      if (added[i] === true) {
        fresh.add(cid.bytes);
      }
    }
    tally.blocks += batch.length;
  }
  return { roots: car.roots, fresh };
};

/** What is wrong with a repository as a whole; a record that breaks the data model is not, unless it is to be. */
const assertFaultless = (faults: readonly Fault[]): void => {
  const [first] = faults;
  if (first !== undefined) {
    const more = faults.length === 1 ? '' : ` (and ${faults.length - 1} more)`;
    throw new RepoError(first.code, `${first.message}${more}`);
  }
};

interface CheckedTree {
  /** All that the repository consists of. */
  readonly linked: CidSet;
  readonly leaves: number;
  readonly records: RecordCheck;
}

/** Checks the tree and each of its records in one walk. */
const checkTree = async (
  change: BlockChange,
  commit: CID,
  root: CID,
  fresh: CidSet,
  signal: AbortSignal | undefined,
  onRecords: (count: number) => void,
): Promise<CheckedTree> => {
  const linked = createCidSet();
  linked.add(commit.bytes);
  const records = createRecordCheck(change, fresh);
  const { faults, leaves } = await verifyTree(change, root, {
    signal,
    onNode: (cid) => linked.add(cid),
    async onLeaves(batch) {
      for (const { key, value } of batch) {
        assertPath(key);
        linked.add(value);
      }
      await records.check(batch);
      onRecords(batch.length);
    },
  });
  assertFaultless(faults);
  assertFaultless(records.faults.filter(({ code }) => code !== 'Malformed'));
  return { linked, leaves, records };
};

/** What the new tree changes in the old one. */
const countChanges = async (
  change: BlockChange,
  before: CID | undefined,
  after: CID,
  leaves: number,
): Promise<Pick<ImportResult, 'created' | 'deleted' | 'unchanged' | 'updated'>> => {
  let [created, updated, deleted] = [0, 0, 0];
  if (before === undefined) {
    created = leaves;
  } else {
    for await (const { from, to } of diffTrees(createNodeReader(change), before, after)) {
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

/** Removes what came in and is not part of the repository: it must never become readable. */
const dropUnlinked = async (change: BlockChange, fresh: CidSet, linked: CidSet, total: number): Promise<number> => {
  const unlinked = createCidSet();
  for (const cid of fresh) {
    if (!linked.has(cid)) {
      unlinked.add(cid);
    }
  }
  let bytes = 0;
  for (const batch of batchesOf(unlinked)) {
    for (const block of await change.getMany(batch)) {
      bytes += block?.length ?? 0;
    }
    if (bytes > MAX_UNLINKED && bytes > 4 * (total - bytes)) {
      throw new RepoError('LimitExceeded', `the CAR is mostly blocks that its tree does not refer to; bytes=${bytes} of ${total}`);
    }
    await change.remove(batch);
  }
  return unlinked.size;
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
const requireRoot = async (change: BlockChange, roots: readonly CID[]): Promise<{ cid: CID; bytes: Uint8Array }> => {
  const [cid] = roots;
  if (cid === undefined) {
    throw new RepoError('Malformed', 'the CAR names no root, so it holds blocks and no repository');
  }
  const bytes = await change.get(cid);
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
  if (before.note === '') {
    throw new RepoError('OutcomeUnknown', `the import has happened, and the faults that it reported are not known any more; did=${parts.did} request=${request.id}`);
  }
  const [blocks, created, updated, deleted, unchanged, missingBlobs] = before.note.split(' ').map(Number) as [number, number, number, number, number, number];
  const { cid: head, rev } = before.commit;
  return { result: { head, rev, blocks, created, updated, deleted, unchanged, missingBlobs, faults: [] }, transition: undefined };
};

const noteOf = ({ blocks, created, updated, deleted, unchanged, missingBlobs, faults }: ImportResult): string =>
  faults.length > 0 ? '' : [blocks, created, updated, deleted, unchanged, missingBlobs].join(' ');

/** `Repo.importCar`. */
export const importCar = async (parts: RepoParts, source: CarSource, options: ImportOptions = {}): Promise<Imported> => {
  const { onProgress, request, signal } = options;
  assertRequest(request);
  const tally: Tally = { phase: 'read', bytes: 0, blocks: 0, records: 0 };
  const tell = (): void => {
    signal?.throwIfAborted();
    onProgress?.({ ...tally });
  };
  return parts.store.transact(async (change) => {
    const requests = request && (await readRequests(parts));
    const earlier = requests && (await landed(parts, requests, request));
    if (earlier !== undefined) {
      return earlier;
    }
    const before = await readHead(parts);
    const { roots, fresh } = await stage(change, source, tally, tell);
    const { cid, bytes } = await requireRoot(change, roots);
    const commit = acceptCommit(parts.did, cid, bytes, before, options);

    tally.phase = 'verify';
    tell();
    const { linked, leaves, records } = await checkTree(change, cid, commit.data, fresh, signal, (count) => {
      tally.records += count;
      tell();
    });
    const [fault] = records.faults;
    if (options.records === 'reject' && fault !== undefined) {
      throw new RepoError('InvalidRecord', fault.message);
    }

    tally.phase = 'write';
    tell();
    const counts = await countChanges(change, before?.data, commit.data, leaves);
    const dropped = await dropUnlinked(change, fresh, linked, tally.bytes);
    const missingBlobs = await countMissing(parts.blobs, records.mentioned);
    await change.setRef(MAIN, cid);
    await change.addCommit(commit.rev, cid);
    const result = { head: cid, rev: commit.rev, blocks: fresh.size - dropped, ...counts, missingBlobs, faults: records.faults };
    await requests?.remember(change, request!, commit.rev, noteOf(result));
    return { result, transition: cidEquals(before?.cid, cid) ? undefined : { before: before?.data, after: commit.data } };
  });
};
