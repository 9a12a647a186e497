/** Makes commits from operations or from a tree, in one transaction. */
import type { CID } from '../../data/cid.ts';
import type { NamedNode } from '../../mst/node.ts';
import type { CommitRef, RecordChange, RecordValue, WriteOp, WriteOptions, WriteResult } from '../repo.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { Block } from '../../blocks/block.ts';
import type { PlannedOp } from './apply.ts';
import { applyOps } from './apply.ts';
import type { CheckedOut } from './checked-out.ts';
import { assertCheckedOut } from './checked-out.ts';
import type { Transition } from '../read/transition.ts';
import { keepingTransition } from '../read/transition.ts';
import type { RepoParts, WholeTree } from '../open-parts.ts';
import { partsIn } from '../open-parts.ts';
import { assertSwapCommit } from '../read/head.ts';
import { readHead } from '../read/head.ts';
import { recordPath } from '../path.ts';
import { wholeAfter } from '../transfer/whole-tree.ts';
import { encodeRecord } from '../record.ts';
import type { Ground, Line } from './line.ts';
import { mainLine } from './line.ts';
import { setMetaValues } from './meta.ts';
import { planOp } from './plan.ts';
import type { PastWrite } from './requests.ts';
import { assertRequest, atCommit, readRequests } from './requests.ts';

/** A commit and its changes, for listeners. */
export interface Committed extends CommitRef {
  readonly changes: readonly RecordChange[];
}

/** Returns the earlier write with the same name, if any. */
const findPastWrite = async (change: BlockChange, { request }: WriteOptions): Promise<PastWrite | undefined> => {
  assertRequest(request);
  return request && (await readRequests(change)).find(request);
};

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
  let made: readonly NamedNode[] = [];
  let whole: WholeTree | undefined;
  const outcome = await parts.store.transact(async (change): Promise<Outcome> => {
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
    made = applied.nodes;
    whole = line === mainLine ? wholeAfter(parts.heads.whole, ground.state?.data, applied) : undefined;
    return { made: 'now', head: { ...commit, changes: applied.changes } };
  });
  parts.heads.whole = whole ?? parts.heads.whole;
  // The next write reads them.
  parts.nodes.insert(made);
  return outcome;
};

/** `Repo.write`. Also returns the changes, or `undefined` if an earlier call made them. */
export const writeOps = async (
  parts: RepoParts,
  ops: readonly WriteOp[],
  options: WriteOptions = {},
  line: Line = mainLine,
): Promise<{ readonly result: WriteResult; readonly changes: readonly RecordChange[] | undefined }> => {
  const planned = ops.map((op) => planOp(parts, op));
  const { made, head } = await commitOps(parts, planned, options, 'commit', line);
  const results = planned.map((op) => {
    const uri = `at://${parts.did}/${op.path}`;
    return 'record' in op ? { uri, cid: op.record.cid } : { uri };
  });
  // Every write makes a commit, so there is a head.
  return { result: { cid: head!.cid, rev: head!.rev, results }, changes: made === 'now' ? head.changes : undefined };
};

/** The result of a put: the record's URI and CID, the head, and the new commit if any. */
export interface Put {
  readonly uri: string;
  readonly cid: CID;
  readonly commit: CommitRef;
  readonly made: Committed | undefined;
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
  const { made, head } = await commitOps(parts, [{ action: 'put', path, record }], options, 'skip', line);
  // A put that changed nothing found its record, so there is a head.
  const commit = { cid: head!.cid, rev: head!.rev };
  return {
    uri: `at://${parts.did}/${path}`,
    cid: record.cid,
    commit,
    made: made === 'now' ? head : undefined,
  };
};

/** `Repo.delete`. Makes no commit if the key is absent. */
export const deleteRecord = async (
  parts: RepoParts,
  collection: string,
  rkey: string,
  options: WriteOptions = {},
  line: Line = mainLine,
): Promise<{ readonly commit: CommitRef | undefined; readonly made: Committed | undefined }> => {
  const path = recordPath(collection, rkey);
  const { made, head } = await commitOps(parts, [{ action: 'discard', path }], options, 'skip', line);
  const commit = made === 'no' ? undefined : { cid: head.cid, rev: head.rev };
  return { commit, made: made === 'now' ? head : undefined };
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
