/** Changes of the pending values: writes, discards and resolutions. */
import type { CID } from '../../core/data/cid.ts';
import { cidToText } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { recordPath, splitPath } from '../../core/repo/path.ts';
import { encodeRecord } from '../../core/repo/record.ts';
import type { WriteOp } from '../../core/repo/repo.ts';
import { assertCid } from '../../core/repo/write/argument-checks.ts';
import { createTidClock } from '../../core/syntax/tid.ts';
import { opTo, queuedEntry } from './absorb.ts';
import type { Entry, Value } from './entry.ts';
import type { Outbox, OutboxOp, OutboxWriteOptions } from './outbox.ts';
import type { PendingStore } from './pending-store.ts';
import { valueOf } from './pending-store.ts';

/** The record that an operation writes: its bytes and CID, or `null` for a deletion. */
interface Target {
  readonly path: string;
  readonly bytes: Uint8Array | null;
  readonly cid: CID | undefined;
  /** What the path must have now, or `undefined` if that does not matter. */
  readonly swap: Value | undefined;
}

const swapOf = ({ swapRecord }: OutboxOp): Value | undefined => {
  if (swapRecord === undefined || swapRecord === null) {
    return swapRecord;
  }
  assertCid(swapRecord, 'swapRecord');
  return cidToText(swapRecord);
};

const assertSwap = (path: string, swap: Value | undefined, now: Value): void => {
  if (swap !== undefined && swap !== now) {
    throw new RepoError('InvalidSwap', `Record was at ${now}: read it again; path=${path}`);
  }
};

const targetOf = (op: OutboxOp): Target => {
  const path = recordPath(op.collection, op.rkey);
  if (op.action === 'delete') {
    return { path, bytes: null, cid: undefined, swap: swapOf(op) };
  }
  if (op.action !== 'put') {
    throw new TypeError(
      `the action of the operation is not valid: use put or delete; action=${String((op as { action: unknown }).action)}`,
    );
  }
  return { path, ...encodeRecord(op.collection, op.value), swap: swapOf(op) };
};

/**
 * Returns the entry of a path after a write, or `undefined` if nothing is pending then.
 * @param before The entry, or what the host has if nothing is pending.
 */
const entryAfter = (path: string, before: Entry | Value, ours: Value): Entry | undefined => {
  if (before === null || typeof before === 'string') {
    return before === ours ? undefined : { path, state: 'queued', base: before, ours, attempts: 0 };
  }
  if (
    before.base === ours &&
    before.baseRev !== undefined &&
    before.state !== 'conflict' &&
    before.sent === undefined
  ) {
    // The host has this value, and the local copy may be older.
    return { path, state: 'landed', base: ours, ours, rev: before.baseRev, attempts: 0 };
  }
  switch (before.state) {
    case 'sending':
    case 'unknown':
      // The request may still have an effect, so its value stays known.
      return { ...before, ours };
    case 'landed':
      return ours === before.ours
        ? before
        : { path, state: 'queued', base: before.ours, baseRev: before.rev, ours, attempts: 0 };
    case 'conflict':
      return before.base === ours ? undefined : { ...before, ours };
    default:
      return before.base === ours ? undefined : queuedEntry(before, { ours, attempts: 0 });
  }
};

/** Returns the entries of a write: those of its paths, and with `atomic` those of the groups that it joins. */
const grouped = async (
  store: PendingStore,
  after: Map<string, Entry | undefined>,
  group: string,
): Promise<Map<string, Entry | undefined>> => {
  const joined = new Set([...after.values()].flatMap((entry) => entry?.group ?? []));
  const members = joined.size === 0 ? [] : await store.entries();
  const all = new Map(after);
  for (const member of members) {
    if (joined.has(member.group ?? '') && !all.has(member.path)) {
      all.set(member.path, member);
    }
  }
  return new Map([...all].map(([path, entry]) => [path, entry && { ...entry, group }]));
};

/** Makes changes pending, in one transaction. Returns the CIDs of the records. */
export const writePending = (
  store: PendingStore,
  ops: readonly OutboxOp[],
  { atomic = false }: OutboxWriteOptions = {},
): Promise<(CID | undefined)[]> => {
  const targets = ops.map(targetOf);
  return store.alone(async () => {
    // The branch then has the host's values where nothing is pending.
    await store.rebase();
    const after = new Map<string, Entry | undefined>();
    const written: WriteOp[] = [];
    for (const { path, bytes, cid, swap } of targets) {
      const stored = after.has(path) ? after.get(path) : await store.entry(path);
      const before = stored ?? (await store.hostValue(path));
      assertSwap(path, swap, typeof before === 'object' && before !== null ? before.ours : before);
      const [was, ours] = [stored === undefined ? await store.branchValue(path) : stored.ours, valueOf(cid)];
      const entry = entryAfter(path, before, ours);
      after.set(path, entry);
      if (entry !== undefined) {
        written.push(...(was === ours ? [] : opTo(path, was, bytes)));
      } else if (stored !== undefined) {
        written.push(...(await store.undo(path, was)));
      } else {
        after.delete(path);
      }
    }
    if (after.size > 0) {
      await store.commit(written, atomic ? await grouped(store, after, createTidClock().next()) : after);
    }
    return targets.map(({ cid }) => cid);
  });
};

/** `Outbox.discard`. */
export const discardPending = (store: PendingStore, path: string): Promise<boolean> =>
  store.alone(async () => {
    const entry = await store.entry(path);
    if (entry === undefined || entry.state === 'landed') {
      return false;
    }
    await store.commit(await store.undo(path, entry.ours), new Map([[path, undefined]]));
    return true;
  });

/** `Outbox.resolve`. */
export const resolveConflict = (
  store: PendingStore,
  path: string,
  choice: Parameters<Outbox['resolve']>[1],
): Promise<void> =>
  store.alone(async () => {
    const entry = await store.entry(path);
    if (entry?.state !== 'conflict') {
      throw new RepoError(
        'RecordNotFound',
        `the path has no conflict: see pending(); path=${path} state=${entry?.state ?? 'not pending'}`,
      );
    }
    const { collection } = splitPath(path);
    const theirs = await store.hostValue(path);
    const record = typeof choice === 'string' || choice === null ? undefined : encodeRecord(collection, choice);
    const ours = choice === 'ours' ? entry.ours : choice === 'theirs' ? theirs : record ? cidToText(record.cid) : null;
    if (ours === theirs) {
      await store.commit(await store.undo(path, entry.ours), new Map([[path, undefined]]));
      return;
    }
    const ops = ours === entry.ours ? [] : opTo(path, entry.ours, record?.bytes ?? null);
    await store.commit(
      ops,
      new Map([[path, queuedEntry(entry, { base: theirs, baseRev: undefined, ours, attempts: 0 })]]),
    );
  });
