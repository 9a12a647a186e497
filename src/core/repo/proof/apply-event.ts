/** Applying an event of the account's host to the local copy. https://atproto.com/specs/sync */
import { toDidKey } from '../../crypto/key-source.ts';
import type { Block } from '../../blocks/block.ts';
import { cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import { isRepoError } from '../../errors.ts';
import type { TreeChange } from '../../mst/diff.ts';
import type { NamedNode } from '../../mst/node.ts';
import type { BlockChange } from '../../storage/ports.ts';
import { stageBlocks } from '../../storage/stage-blocks.ts';
import type { Head } from '../commits.ts';
import type { CountedTree, RepoParts, WholeTree } from '../open-parts.ts';
import { partsIn } from '../open-parts.ts';
import { readHead } from '../read/head.ts';
import { recordChange } from '../read/history.ts';
import { setHostHead } from '../transfer/host-head.ts';
import { listCommit } from '../transfer/kept-refs.ts';
import { noteWhole, wholeAfter, wholeTree } from '../transfer/whole-tree.ts';
import { noteChangedCounts } from '../read/collection-counts.ts';
import { acceptCommit } from '../write/accept.ts';
import type { Applied, PlannedOp } from '../write/apply.ts';
import { applyOps } from '../write/apply.ts';
import { assertRequest, readRequests } from '../write/requests.ts';
import type { AppliedEvent, ApplyEventOptions } from './applied-event.ts';
import type { CommitEvent, SyncEvent } from './commit-event.ts';
import type { ProofBlocks } from './proof-blocks.ts';
import { checkEvent } from './verify-commit-event.ts';

type Refusal = Omit<AppliedEvent, 'commit' | 'outcome'> & {
  readonly outcome: 'desynchronized' | 'ignored' | 'invalid';
};

const refused = (outcome: Refusal['outcome'], reason: string): Refusal => ({ outcome, reason, changes: [] });

const revOf = (head: Head | undefined): string => head?.rev ?? 'none';

/** Whether an event announces nothing newer than the head. Its content is not looked at. */
const replayOf = ({ rev }: CommitEvent | SyncEvent, head: Head | undefined): Refusal | undefined =>
  head !== undefined && rev < head.rev
    ? refused('ignored', `the head is newer than the event; head=${head.rev} rev=${rev}`)
    : undefined;

const planOf = async (change: TreeChange, blocks: ProofBlocks): Promise<PlannedOp> => {
  const { key: path, from, to } = change;
  const swapRecord = from === undefined ? undefined : decodeCid(from);
  if (to === undefined) {
    return { action: 'delete', path, swapRecord };
  }
  const record: Block = { cid: decodeCid(to), bytes: (await blocks.get(to))! };
  return { action: from === undefined ? 'create' : 'update', path, record, swapRecord };
};

/** Why a valid event cannot be applied to this head; `undefined` if it can. */
const gapAt = (
  event: CommitEvent | SyncEvent,
  { root, commit }: ProofBlocks,
  head: Head | undefined,
): Refusal | undefined => {
  if (cidEquals(head?.cid, root)) {
    return refused('ignored', `the commit is the head; rev=${commit.rev}`);
  }
  if (head !== undefined && commit.rev <= head.rev) {
    return refused('desynchronized', `the host has another commit; head=${head.rev} rev=${commit.rev}`);
  }
  if (event.type === 'sync') {
    return cidEquals(head?.data, commit.data)
      ? undefined
      : refused('desynchronized', `the head of the host has other records; head=${revOf(head)} rev=${commit.rev}`);
  }
  if (event.since !== (head?.rev ?? null)) {
    return refused('desynchronized', `the event does not follow the head; head=${revOf(head)} since=${event.since}`);
  }
  if (head !== undefined && !cidEquals(event.prevData ?? undefined, head.data)) {
    return refused(
      'desynchronized',
      `the event follows another tree; data=${cidToText(head.data)} prevData=${event.prevData ? cidToText(event.prevData) : 'none'}`,
    );
  }
  return undefined;
};

/** These mean that the event contradicts the local tree, or that its commit is not acceptable. */
const CONTRADICTIONS: ReadonlySet<string> = new Set([
  'FutureRev',
  'InvalidSignature',
  'InvalidSwap',
  'Malformed',
  'RecordExists',
  'RecordNotFound',
]);

/** Applies the changes to the local tree. Returns why they do not give the tree of the commit, if so. */
const applyChanges = async (
  parts: RepoParts,
  change: BlockChange,
  head: Head | undefined,
  changes: readonly TreeChange[],
  blocks: ProofBlocks,
): Promise<Applied | Refusal> => {
  const { root, commit, commitBytes } = blocks;
  try {
    acceptCommit(parts.did, root, commitBytes, head, {}, parts.verifySignature);
    const ops = await Promise.all(changes.map((one) => planOf(one, blocks)));
    const applied = await applyOps(partsIn(parts, change).nodes, head?.data, ops, parts.hashAll);
    return cidEquals(applied.root, commit.data)
      ? applied
      : refused(
          'invalid',
          `the operations do not lead to the tree of the commit; data=${cidToText(commit.data)} found=${cidToText(applied.root)}`,
        );
  } catch (error) {
    if (isRepoError(error) && CONTRADICTIONS.has(error.code)) {
      return refused('invalid', error.message);
    }
    throw error;
  }
};

/** The result of an event, and whether this call made the head. */
export interface Applying {
  readonly result: AppliedEvent;
  readonly isNew: boolean;
}

/** `Repo.applyEvent`. */
export const applyEvent = async (
  parts: RepoParts,
  event: CommitEvent | SyncEvent,
  { key, meta, request }: ApplyEventOptions = {},
): Promise<Applying> => {
  const stay = (result: AppliedEvent): Applying => ({ result, isNew: false });
  const { did, store } = parts;
  const didKey = key === undefined ? undefined : toDidKey(key, did);
  assertRequest(request);
  const account = event.type === 'commit' ? event.repo : event.did;
  if (account !== did) {
    return stay(refused('invalid', `the event is of another account; expected=${did} found=${String(account)}`));
  }
  if (request?.again === undefined) {
    const replay = replayOf(event, await readHead(parts));
    if (replay !== undefined) {
      return stay(replay);
    }
  }
  const { report, blocks } = await checkEvent(event, { key: didKey }, parts.verifySignature);
  const { state, reason = '', changes } = report;
  if (blocks === undefined || state === 'invalid') {
    return stay(refused('invalid', reason));
  }
  const { root: cid, commit, commitBytes } = blocks;
  let made: readonly NamedNode[] = [];
  let whole: WholeTree | undefined;
  let counted: CountedTree | undefined;
  const applying = await store.transact(async (change): Promise<Applying> => {
    const requests = request && (await readRequests(change));
    if (requests !== undefined && (await requests.find(request!)) !== undefined) {
      return stay({ outcome: 'applied', commit: { cid, rev: commit.rev }, changes: changes.map(recordChange) });
    }
    const head = await readHead(partsIn(parts, change));
    const gap = replayOf(event, head) ?? gapAt(event, blocks, head);
    if (gap !== undefined || state !== 'valid') {
      return stay(gap ?? refused('desynchronized', reason));
    }
    const applied = await applyChanges(parts, change, head, changes, blocks);
    if ('outcome' in applied) {
      return stay(applied);
    }
    await stageBlocks(change, [...applied.blocks, { cid, bytes: commitBytes }]);
    await listCommit(change, commit.rev, cid);
    const { rev, data } = commit;
    await setHostHead(parts, change, { cid, rev, data }, { isJump: event.type === 'sync', didKey, meta });
    const known = head && (await wholeTree(parts, change, head.data));
    whole = wholeAfter(known, head?.data, applied);
    if (whole !== undefined) {
      await noteWhole(change, whole);
    }
    counted = await noteChangedCounts(parts, change, head?.data, applied);
    await requests?.add(change, request!, commit.rev);
    made = applied.nodes;
    const result = { outcome: 'applied', commit: { cid, rev: commit.rev }, changes: applied.changes } as const;
    return { result, isNew: true };
  });
  // The next event reads them.
  parts.nodes.insert(made);
  parts.heads.whole = whole ?? parts.heads.whole;
  parts.heads.counted = counted ?? parts.heads.counted;
  return applying;
};
