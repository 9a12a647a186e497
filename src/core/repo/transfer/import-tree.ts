/** Checks the tree and the records of an import, and links their blocks: all of them, or only the difference. */
import { BoundedList } from '../../data/bounded-list.ts';
import type { CID, CidBytes } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import type { Fault } from '../../data/fault.ts';
import type { TreeChange } from '../../mst/diff.ts';
import { diffTrees } from '../../mst/diff.ts';
import type { Leaf } from '../../mst/node.ts';
import { createNodeReader } from '../../mst/node-reader.ts';
import { verifyTreeOf } from '../../mst/verify.ts';
import type { VerifiedDifference } from '../../mst/verify-difference.ts';
import { verifyDifference } from '../../mst/verify-difference.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { Head, RecordChange } from '../repo.ts';
import type { ImportOptions, ImportResult } from '../long-work.ts';
import type { CountedTree, RepoParts, WholeTree } from '../open-parts.ts';
import { partsIn } from '../open-parts.ts';
import { createAssertPath } from '../path.ts';
import { addLeaves, countsAfter, knownCounts } from '../read/collection-counts.ts';
import { recordChange } from '../read/history.ts';
import type { RecordCheck } from './check-records.ts';
import { createRecordCheck } from './check-records.ts';
import { maxFirstChanges } from './import-changes.ts';
import type { Staging } from './staging.ts';
import { wholeTree } from './whole-tree.ts';

/** Most blocks of a CAR that may be a difference. A larger one is checked completely, which needs less memory. */
const MAX_DIFFERENCE = 16_384;

/** Default limit of records that break the data model. One bad block may be the value of a million keys. */
export const MAX_RECORD_FAULTS = 100_000;

/** The state of an import that is being checked. */
export interface ImportCheck {
  readonly parts: RepoParts;
  readonly change: BlockChange;
  readonly staging: Staging;
  readonly options: Pick<ImportOptions, 'dryRun' | 'maxFaults' | 'signal'>;
  /** Called with the number of records that were just checked. */
  readonly onRecords: (count: number) => Promise<void>;
}

export interface CheckedTree extends Pick<ImportResult, 'created' | 'deleted' | 'updated'> {
  readonly leaves: number;
  readonly changes: BoundedList<RecordChange>;
  /** Records that break the data model. Of a difference, only those that it changes. */
  readonly malformed: BoundedList<Fault>;
  /** The blobs that these records mention. */
  readonly mentioned: CidSet;
  /** The root that the changes start from; `undefined` for the empty tree, or if the old tree lacks nodes. */
  readonly base: CID | undefined;
  /** The counts of its collections, if they are known. */
  readonly counted: CountedTree | undefined;
}

/** A tree that lacks blocks: they are neither in the CAR nor stored. */
export interface IncompleteTree {
  readonly missing: NonNullable<ImportResult['missing']>;
  /** What to reject with. */
  readonly error: RepoError;
}

const errorOf = ({ items: [first], count }: Pick<BoundedList<Fault>, 'count' | 'items'>): RepoError =>
  new RepoError(first!.code, `${first!.message}${count === 1 ? '' : ` (and ${count - 1} more)`}`);

/**
 * Returns the blocks that are missing, if that is all that is wrong with the tree.
 * @throws {RepoError} the code of the first fault.
 */
const missingIn = (faults: Pick<BoundedList<Fault>, 'count' | 'items'>): IncompleteTree | undefined => {
  const { count, items } = faults;
  if (count === 0) {
    return undefined;
  }
  const error = errorOf(faults);
  if (items.some(({ code }) => code !== 'BlockNotFound')) {
    throw error;
  }
  return { error, missing: items.map(({ cid, path }) => (path === undefined ? { cid: cid! } : { cid: cid!, path })) };
};

/** The check of the records of an import. */
interface Records extends Pick<RecordCheck, 'check' | 'mentioned'> {
  readonly malformed: BoundedList<Fault>;
  readonly missing: BoundedList<Fault>;
}

const createRecords = ({ staging, options, onRecords }: ImportCheck): Records => {
  const { maxFaults = MAX_RECORD_FAULTS } = options;
  const malformed = new BoundedList<Fault>();
  const missing = new BoundedList<Fault>();
  const records = createRecordCheck(
    (cids) => staging.read(cids),
    staging,
    (fault) => (fault.code === 'Malformed' ? malformed : missing).add(fault),
  );
  const assertPath = createAssertPath();
  return {
    malformed,
    missing,
    mentioned: records.mentioned,
    async check(leaves: readonly Leaf[]) {
      for (const { key, value } of leaves) {
        assertPath(key);
        staging.link(value);
      }
      await records.check(leaves);
      if (malformed.count + missing.count > maxFaults) {
        throw new RepoError(
          'LimitExceeded',
          `too many records break the data model: raise maxFaults to import them; limit=${maxFaults}`,
        );
      }
      await onRecords(leaves.length);
    },
  };
};

/** The changes of an import: their counts, and the first ones. */
const counter = ({ dryRun }: ImportCheck['options']) => {
  const changes = new BoundedList<RecordChange>(maxFirstChanges(dryRun));
  const counts = { created: 0, deleted: 0, updated: 0 };
  return {
    changes,
    counts,
    add(change: TreeChange): void {
      counts[change.from === undefined ? 'created' : change.to === undefined ? 'deleted' : 'updated'] += 1;
      if (changes.isFull) {
        changes.addCount(1);
      } else {
        changes.add(recordChange(change));
      }
    },
  };
};

/** Checks the whole tree and all records in one walk. */
const checkAll = async (
  check: ImportCheck,
  before: Head | undefined,
  root: CID,
): Promise<CheckedTree | IncompleteTree> => {
  const { parts, staging, options } = check;
  const records = createRecords(check);
  // Every record is new if there is no old tree, so a first import walks its tree once.
  const fresh = counter(options);
  const collections = new Map<string, number>();
  const { faults, faultCount, leaves } = await verifyTreeOf((cids) => staging.read(cids), root.bytes as CidBytes, {
    signal: options.signal,
    hashAll: parts.hashAll,
    hashed: staging,
    visit: (cid) => staging.visit(cid),
    onNode: (cid) => staging.link(cid),
    async onLeaves(batch) {
      await records.check(batch);
      addLeaves(collections, batch);
      batch.forEach(({ key, value }) => fresh.add({ key, from: undefined, to: value }));
    },
  });
  const incomplete = missingIn({ items: faults, count: faultCount }) ?? missingIn(records.missing);
  if (incomplete !== undefined) {
    return incomplete;
  }
  const found = before && (await changesSince(check, before.data, root));
  const { changes, counts } = found ?? fresh;
  const base = found && before?.data;
  const { malformed, mentioned } = records;
  const counted = { data: root, counts: collections };
  return { ...counts, leaves, changes, malformed, mentioned, base, counted };
};

/** Returns the changes from the old tree, or `undefined` if it lacks nodes, after a repair. The new one is complete. */
const changesSince = async ({ staging, options }: ImportCheck, before: CID, after: CID) => {
  const counted = counter(options);
  try {
    for await (const change of diffTrees(createNodeReader(staging), before, after)) {
      counted.add(change);
    }
    return counted;
  } catch (error) {
    if (!isRepoError(error, 'BlockNotFound')) {
      throw error;
    }
    return undefined;
  }
};

/** Checks the records of a difference. */
const checkDifference = async (
  check: ImportCheck,
  { changes: found, leaves, nodes }: VerifiedDifference,
  { data: before, leaves: count }: WholeTree,
  root: CID,
): Promise<CheckedTree | IncompleteTree> => {
  const { signal } = check.options;
  const { change, parts, staging } = check;
  nodes.forEach((cid) => staging.link(cid));
  leaves.forEach(({ value }) => staging.link(value));
  const records = createRecords(check);
  const fresh = found.flatMap(({ key, to }) => (to === undefined ? [] : [{ key, value: to }]));
  for (let at = 0; at < fresh.length; at += BATCH) {
    signal?.throwIfAborted();
    await records.check(fresh.slice(at, at + BATCH));
  }
  const incomplete = missingIn(records.missing);
  if (incomplete !== undefined) {
    return incomplete;
  }
  const { add, changes, counts } = counter(check.options);
  found.forEach(add);
  return {
    ...counts,
    leaves: count + counts.created - counts.deleted,
    changes,
    malformed: records.malformed,
    mentioned: records.mentioned,
    base: before,
    counted: countsAfter(await knownCounts(parts, change, before), { root, changes: found.map(recordChange) }),
  };
};

/** Records per read. */
const BATCH = 256;

/**
 * Checks the tree of a new head. If the old head's tree is known to be whole, and the CAR is small, checks only the
 * difference; what that cannot prove is checked completely.
 * @throws {RepoError} `Malformed`, `Corrupt`, `LimitExceeded`.
 */
export const checkTree = async (
  check: ImportCheck,
  before: Head | undefined,
  root: CID,
): Promise<CheckedTree | IncompleteTree> => {
  const { parts, change, staging } = check;
  const whole = before && (await wholeTree(parts, change, before.data));
  // A CAR of the same tree may bring blocks that damage has removed.
  if (whole !== undefined && staging.size <= MAX_DIFFERENCE && !(whole.data.equals(root) && staging.size > 1)) {
    const { nodes: verified } = partsIn(parts, change);
    const given = { verified, blocks: staging, arrived: staging, hashAll: parts.hashAll };
    const difference = await verifyDifference(given, whole.data, root);
    if (difference !== undefined) {
      return checkDifference(check, difference, whole, root);
    }
  }
  return checkAll(check, before, root);
};
