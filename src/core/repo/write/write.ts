/** Makes commits from operations or from a tree, in one transaction. */
import type { CID } from '../../data/cid.ts';
import type { CommitRef, RecordChange, RecordValue, WriteOp, WriteOptions, WriteResult } from '../repo.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { Block } from '../../blocks/block.ts';
import type { PlannedOp } from './apply.ts';
import { applyOps } from './apply.ts';
import type { CheckedOut } from './checked-out.ts';
import { assertCheckedOut } from './checked-out.ts';
import type { Transition } from '../read/transition.ts';
import { keepingTransition } from '../read/transition.ts';
import type { RepoParts } from '../open-parts.ts';
import { partsIn } from '../open-parts.ts';
import { assertSwapCommit } from '../read/head.ts';
import { readHead } from '../read/head.ts';
import { recordPath } from '../path.ts';
import { wholeAfter } from '../transfer/whole-tree.ts';
import { noteChangedCounts } from '../read/collection-counts.ts';
import { encodeRecord } from '../record.ts';
import type { Ground, Line } from './line.ts';
import { mainLine } from './line.ts';
import { setMetaValues } from './meta.ts';
import { planOp } from './plan.ts';
import type { PastWrite } from './requests.ts';
import { assertRequest, atCommit, readRequests } from './requests.ts';

/** A commit and its changes, for listeners. */
interface Committed extends CommitRef {
  readonly changes: readonly RecordChange[];
}

/** Returns the earlier write with the same name, if any. */
const findPastWrite = async (change: BlockChange, { request }: WriteOptions): Promise<PastWrite | undefined> => {
  assertRequest(request);
  return request && (await readRequests(change)).find(request);
};

/** Most operations of a write that becomes durable together with other writes, so that it does not delay them. */
const MAX_GROUPED_OPS = 100;

/** The head after a write: a commit made now, a commit made by an earlier call, or the unchanged head. */
type Outcome =
  | { readonly made: 'before'; readonly head: CommitRef }
  | { readonly made: 'no'; readonly head: CommitRef | undefined }
  | { readonly made: 'now'; readonly head: Committed };

/** Sets the meta values of a write that makes no commit. */
const keepMeta = async (change: BlockChange, { state }: Ground, options: WriteOptions): Promise<void> => {
  const { meta, request } = options;
  if (meta !== undefined) {
    await setMetaValues(change, meta);
    // Without values, a repeated write finds the same records, so it is not recorded.
    if (request !== undefined) {
      await (await readRequests(change)).addStayed(change, request, state?.rev, state && atCommit(state.cid));
    }
  }
};

/** Applies planned operations and commits. With `idle: 'skip'`, operations that change nothing make no commit. */
const commitOps = async (
  parts: RepoParts,
  ops: readonly PlannedOp[],
  options: WriteOptions,
  idle: 'commit' | 'skip',
  line: Line,
): Promise<Outcome> => {
  const run = async (change: BlockChange): Promise<Outcome> => {
    const before = await findPastWrite(change, options);
    if (before !== undefined) {
      const { commit, stayed } = before;
      return stayed || commit === undefined ? { made: 'no', head: commit } : { made: 'before', head: commit };
    }
    const inside = partsIn(parts, change);
    const ground = await line.ground(inside);
    assertSwapCommit(ground.head, options.swapCommit);
    const applied = await applyOps(inside.nodes, ground.state?.data, ops, parts.hashAll);
    if (idle === 'skip' && applied.changes.length === 0) {
      await keepMeta(change, ground, options);
      return { made: 'no', head: ground.state };
    }
    const commit = await line.store(parts, change, ground, applied.root, applied.blocks, options);
    if (line === mainLine) {
      const counted = await noteChangedCounts(parts, change, ground.state?.data, applied);
      parts.heads.counted = counted ?? parts.heads.counted;
      parts.heads.whole = wholeAfter(parts.heads.whole, ground.state?.data, applied) ?? parts.heads.whole;
    }
    // The next write reads them, which may be of the same group. If this one is lost, they are dropped.
    parts.nodes.insert(applied.nodes);
    return { made: 'now', head: { ...commit, changes: applied.changes } };
  };
  const outcome = await (ops.length > MAX_GROUPED_OPS ? parts.store.transact(run) : parts.store.together(run));
  if (outcome.made === 'now' && line === mainLine) {
    // Nothing is awaited before, so that the listeners hear of the heads of a group in their order.
    await parts.listeners.notify(outcome.head, outcome.head.changes);
  }
  return outcome;
};

/** `Repo.write`. */
export const writeOps = async (
  parts: RepoParts,
  ops: readonly WriteOp[],
  options: WriteOptions = {},
  line: Line = mainLine,
): Promise<WriteResult> => {
  const planned = ops.map((op) => planOp(parts, op));
  const { head } = await commitOps(parts, planned, options, 'commit', line);
  const results = planned.map((op) => {
    const uri = `at://${parts.did}/${op.path}`;
    return 'record' in op ? { uri, cid: op.record.cid } : { uri };
  });
  // Every write makes a commit, so there is a head.
  return { cid: head!.cid, rev: head!.rev, results };
};

/** The result of a put: the record's URI and CID, and the head. */
export interface Put {
  readonly uri: string;
  readonly cid: CID;
  readonly commit: CommitRef;
}

/** `Repo.put`. Makes no commit if the record already has this value. */
export const putRecord = async (
  parts: RepoParts,
  collection: string,
  rkey: string,
  value: RecordValue | Uint8Array,
  options: WriteOptions = {},
  line: Line = mainLine,
): Promise<Put> =>
  putBlock(parts, recordPath(collection, rkey), encodeRecord(collection, value, parts.validate), options, line);

/** Puts an encoded record. */
export const putBlock = async (
  parts: RepoParts,
  path: string,
  record: Block,
  options: WriteOptions = {},
  line: Line = mainLine,
): Promise<Put> => {
  const { head } = await commitOps(parts, [{ action: 'put', path, record }], options, 'skip', line);
  // A put that changed nothing found its record, so there is a head.
  const commit = { cid: head!.cid, rev: head!.rev };
  return {
    uri: `at://${parts.did}/${path}`,
    cid: record.cid,
    commit,
  };
};

/** `Repo.delete`. Makes no commit if the key is absent. */
export const deleteRecord = async (
  parts: RepoParts,
  collection: string,
  rkey: string,
  options: WriteOptions = {},
  line: Line = mainLine,
): Promise<CommitRef | undefined> => {
  const path = recordPath(collection, rkey);
  const { made, head } = await commitOps(parts, [{ action: 'discard', path }], options, 'skip', line);
  return made === 'no' ? undefined : { cid: head.cid, rev: head.rev };
};

/**
 * `Repo.commit`. Makes a tree the head if the head is unchanged since checkout and the blocks of its base are stored.
 * `transition` is `undefined` if an earlier call made the commit.
 */
export const commitTree = (
  parts: RepoParts,
  root: CID,
  blocks: readonly Block[],
  checkedOut: CheckedOut,
  options: WriteOptions = {},
): Promise<{ readonly commit: CommitRef; readonly transition: Transition | undefined }> =>
  keepingTransition(parts.pins, (keep) =>
    parts.store.transact(async (change) => {
      const before = await findPastWrite(change, options);
      if (before?.commit !== undefined) {
        return { commit: before.commit, transition: undefined };
      }
      const head = await readHead(partsIn(parts, change));
      assertSwapCommit(head, options.swapCommit === undefined ? (checkedOut.head ?? null) : options.swapCommit);
      await assertCheckedOut(partsIn(parts, change), checkedOut, head);
      const commit = await mainLine.store(parts, change, { head, state: head }, root, blocks, options);
      return { commit, transition: keep(head?.data, root) };
    }),
  );
