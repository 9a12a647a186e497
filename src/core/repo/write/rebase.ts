/** `Branch.rebase`: applies the changes of a branch to the current head. */
import type { CID, CidBytes } from '../../data/cid.ts';
import { cidEquals, decodeCid } from '../../data/cid.ts';
import { listOf } from '../../data/list-of.ts';
import { diffTrees } from '../../mst/diff.ts';
import { findValues } from '../../mst/find.ts';
import { requireBlock } from '../../storage/checked-blocks.ts';
import type { BlockChange } from '../../storage/ports.ts';
import { stageBlocks } from '../../storage/stage-blocks.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { RebaseConflict, RebaseOptions, RebaseResult } from '../branch.ts';
import type { Head } from '../commits.ts';
import type { RepoParts } from '../open-parts.ts';
import { partsIn } from '../open-parts.ts';
import { readHead } from '../read/head.ts';
import { messageKey } from '../store-names.ts';
import type { PlannedOp } from './apply.ts';
import { applyOps } from './apply.ts';
import type { BranchEnds } from './branch-line.ts';
import { baseRef, readBranch, storeUnsigned } from './branch-line.ts';

interface Plan {
  readonly ops: readonly PlannedOp[];
  readonly absorbed: readonly string[];
  readonly conflicts: readonly RebaseConflict[];
}

const cidFrom = (value: CidBytes | undefined): CID | undefined => (value === undefined ? undefined : decodeCid(value));

/** Sorts the changes of a branch: those to apply, those that the head has already, and those that contradict it. */
const planOf = async (
  parts: RepoParts,
  change: BlockChange,
  { base, head }: BranchEnds,
  onto: Head,
  onConflict: NonNullable<RebaseOptions['onConflict']>,
): Promise<Plan> => {
  const inside = partsIn(parts, change);
  const changes = await listOf(diffTrees(inside.nodes, base.data, head.data));
  const values = await findValues(
    inside.nodes,
    onto.data,
    changes.map(({ key }) => key),
  );
  const ops: PlannedOp[] = [];
  const absorbed: string[] = [];
  const conflicts: RebaseConflict[] = [];
  for (const [i, { key: path, from, to }] of changes.entries()) {
    const [before, ours, theirs] = [cidFrom(from), cidFrom(to), values[i]];
    if (cidEquals(ours, theirs)) {
      absorbed.push(path);
      continue;
    }
    if (!cidEquals(before, theirs)) {
      conflicts.push({ path, base: before, ours, theirs });
      if (onConflict === 'theirs') {
        continue;
      }
    }
    ops.push(
      ours === undefined
        ? { action: 'discard', path }
        : { action: 'put', path, record: { cid: ours, bytes: await requireBlock(change, ours, parts.hashAll) } },
    );
  }
  return { ops, absorbed, conflicts };
};

export const rebaseBranch = (
  parts: RepoParts,
  name: string,
  { onConflict = 'stop' }: RebaseOptions = {},
): Promise<RebaseResult> =>
  parts.store.transact(async (change) => {
    if (!['ours', 'stop', 'theirs'].includes(onConflict)) {
      throw new TypeError(`onConflict is not valid: use stop, ours or theirs; onConflict=${String(onConflict)}`);
    }
    const inside = partsIn(parts, change);
    const [ends, onto] = [await readBranch(inside, name), await readHead(inside)];
    if (ends === undefined || onto === undefined || cidEquals(ends.base.cid, onto.cid)) {
      return { commit: undefined, absorbed: [], conflicts: [] };
    }
    const { ops, absorbed, conflicts } = await planOf(parts, change, ends, onto, onConflict);
    if (conflicts.length > 0 && onConflict === 'stop') {
      return { commit: undefined, absorbed, conflicts };
    }
    const applied = await applyOps(inside.nodes, onto.data, ops, parts.hashAll);
    const { head } = ends;
    const newer = head.rev > onto.rev ? head : onto;
    const rev = parts.clock.next(newer.rev as Tid);
    await stageBlocks(change, applied.blocks);
    const cid = await storeUnsigned(change, { did: parts.did, data: applied.root, rev, prev: onto.cid });
    await change.setRef(name, cid);
    await change.setRef(baseRef(name), onto.cid);
    const message = await change.meta(messageKey(head.cid));
    await change.setMeta(messageKey(head.cid), undefined);
    await change.setMeta(messageKey(cid), message);
    return { commit: { cid, rev }, absorbed, conflicts };
  });
