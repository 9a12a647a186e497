/** Compares the pending changes with the host's state after a pull. */
import { isRepoError } from '../../core/errors.ts';
import { readCar } from '../../core/car/reader.ts';
import { parseCid } from '../../core/data/cid.ts';
import { decodeRecord } from '../../core/data/cbor-decode.ts';
import { splitPath } from '../../core/repo/path.ts';
import { encodeRecord } from '../../core/repo/record.ts';
import type { Repo, WriteOp } from '../../core/repo/repo.ts';
import type { RecordValue } from '../../core/repo/tree.ts';
import type { Verdict } from './decide.ts';
import { decide } from './decide.ts';
import type { Entry, Value } from './entry.ts';
import type { PolicyResult, PushOptions } from './outbox.ts';
import type { PendingStore } from './pending-store.ts';
import { valueOf } from './pending-store.ts';

type Policies = PushOptions['policies'];

/** Returns an entry that the next push sends. */
export const queuedEntry = (entry: Entry, changes: Partial<Entry>): Entry => {
  const { sent: _, rev: __, error: ___, ...kept } = entry;
  return { ...kept, state: 'queued', ...changes };
};

/** Returns an operation that writes the pending value of a path. */
export const opTo = (path: string, before: Value, bytes: Uint8Array | null): WriteOp[] => {
  const { collection, rkey } = splitPath(path);
  if (bytes === null) {
    return before === null ? [] : [{ action: 'delete', collection, rkey }];
  }
  return [{ action: before === null ? 'create' : 'update', collection, rkey, value: bytes }];
};

/** Returns the record of a CID, or `undefined` if it is not stored or not readable. */
const recordOf = async (repo: Repo, value: Value): Promise<RecordValue | undefined> => {
  if (value === null) {
    return undefined;
  }
  try {
    const [block] = readCar(await repo.exportBlocks([parseCid(value)]));
    return block && (decodeRecord(block.bytes) as RecordValue);
  } catch (error) {
    if (isRepoError(error)) {
      return undefined;
    }
    throw error;
  }
};

const policyOf = async (
  { repo }: PendingStore,
  entry: Entry,
  theirs: Value,
  policies: Policies = {},
): Promise<PolicyResult> => {
  const { collection } = splitPath(entry.path);
  const policy = Object.hasOwn(policies, collection) ? policies[collection]! : 'keep';
  if (typeof policy !== 'function') {
    // Restoring a deleted record needs a decision about this record.
    return policy === 'ours' && theirs === null ? 'keep' : policy;
  }
  const [base, host, ours] = [entry.base, theirs, entry.ours].map((value) => recordOf(repo, value));
  return policy(await base, await host, await ours, entry.path);
};

/** The new state of one entry, and the operations on the branch. */
interface Step {
  readonly entry: Entry | undefined;
  readonly ops: readonly WriteOp[];
}

const resolveByPolicy = async (store: PendingStore, entry: Entry, theirs: Value, policies: Policies): Promise<Step> => {
  const conflict: Entry = { ...queuedEntry(entry, {}), state: 'conflict' };
  const choice = await policyOf(store, entry, theirs, policies);
  switch (choice) {
    case 'keep':
    case undefined:
      return { entry: conflict, ops: [] };
    case 'ours':
      return { entry: queuedEntry(entry, { base: theirs, baseRev: undefined }), ops: [] };
    case 'theirs':
      return { entry: undefined, ops: await store.undo(entry.path, entry.ours) };
    default: {
      const record = choice === null ? undefined : encodeRecord(splitPath(entry.path).collection, choice);
      const ours = valueOf(record?.cid);
      const next = queuedEntry(entry, { base: theirs, baseRev: undefined, ours });
      return {
        entry: ours === theirs ? undefined : next,
        ops: ours === entry.ours ? [] : opTo(entry.path, entry.ours, record?.bytes ?? null),
      };
    }
  }
};

const stepOf = async (
  store: PendingStore,
  verdict: Exclude<Verdict, 'keep'>,
  entry: Entry,
  theirs: Value,
  policies: Policies,
): Promise<Step> => {
  switch (verdict) {
    case 'landed':
      // With the same value on both sides, the rebase removes the change from the branch.
      return { entry: undefined, ops: theirs === entry.ours ? [] : await store.undo(entry.path, entry.ours) };
    case 'landedBefore':
      return { entry: queuedEntry(entry, { base: theirs, baseRev: undefined, attempts: 0 }), ops: [] };
    case 'retry':
      return { entry: queuedEntry(entry, { error: entry.error }), ops: [] };
    default:
      return resolveByPolicy(store, entry, theirs, policies);
  }
};

/** The paths whose changes the host has had since the last comparison. */
export interface Absorbed {
  readonly landed: readonly string[];
}

/**
 * Decides about each pending change by the host's value, and makes the host's state the base of the branch. Call it
 * after a pull. Safe to repeat.
 */
export const absorb = (store: PendingStore, policies?: Policies): Promise<Absorbed> =>
  store.alone(async () => {
    const entries = await store.entries();
    if ((await store.branch.head()) === undefined) {
      return { landed: [] };
    }
    const { rev, values } = await store.hostValues(entries);
    const after = new Map<string, Entry | undefined>();
    const ops: WriteOp[] = [];
    const landed: string[] = [];
    for (const entry of entries) {
      const theirs = values.get(entry.path) ?? null;
      const verdict = decide(entry, { rev, value: theirs });
      if (verdict === 'keep') {
        continue;
      }
      const step = await stepOf(store, verdict, entry, theirs, policies);
      if (verdict.startsWith('landed') && entry.state !== 'landed') {
        landed.push(entry.path);
      }
      after.set(entry.path, step.entry);
      ops.push(...step.ops);
    }
    if (after.size > 0) {
      await store.commit(ops, after);
    }
    await store.rebase();
    return { landed };
  });
