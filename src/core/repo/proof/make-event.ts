/** Making the event that announces a stored commit. https://atproto.com/specs/sync#commit-messages */
import { writeCar } from '../../car/writer.ts';
import type { Bytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import { cidBytesToText, cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { Block } from '../../blocks/block.ts';
import type { TreeChange } from '../../mst/diff.ts';
import { diffTrees } from '../../mst/diff.ts';
import { coveringProof } from '../../mst/proof.ts';
import { requireBlock } from '../../storage/checked-blocks.ts';
import type { Tid } from '../../syntax/tid.ts';
import { withPinned } from '../care/pins.ts';
import type { Head } from '../commits.ts';
import type { RepoParts } from '../open-parts.ts';
import { headOf, readCommit } from '../read/head.ts';
import { commitAt } from '../read/history.ts';
import { isJump } from '../transfer/jumps.ts';
import type { CommitEvent, EventOp, SyncEvent } from './commit-event.ts';
import { MAX_EVENT_BLOCKS, MAX_EVENT_OPS } from './commit-event.ts';

interface AnnouncedCommit extends Head {
  /** Whether the commit before it is known, or known not to exist. */
  readonly hasKnownBase: boolean;
}

/** Returns a commit and the one before it, which is `undefined` if it is unknown or does not exist. */
const findStep = async (
  parts: RepoParts,
  at: string | CID | undefined,
): Promise<readonly [commit: AnnouncedCommit, before: Head | undefined]> => {
  const commit = await commitAt(parts, at);
  const { store } = parts;
  if (!cidEquals(await store.commit(commit.rev as Tid), commit.cid)) {
    throw new RepoError(
      'RefNotFound',
      `the commit is not in the local history, so no event announces it: see \`log\`; rev=${commit.rev}`,
    );
  }
  if (await isJump(store, commit.rev)) {
    return [{ ...commit, hasKnownBase: false }, undefined];
  }
  const found = { ...commit, hasKnownBase: true };
  for await (const [, cid] of store.commits({ before: commit.rev as Tid, reverse: true })) {
    return [found, headOf(cid, await readCommit(store, cid))];
  }
  return [found, undefined];
};

const opOf = ({ key: path, from, to }: TreeChange): EventOp => {
  const prev = from === undefined ? {} : { prev: decodeCid(from) };
  const action = from === undefined ? 'create' : to === undefined ? 'delete' : 'update';
  return { action, path, cid: to === undefined ? null : decodeCid(to), ...prev };
};

/** Returns the changes between two trees, or `undefined` if one event cannot hold them. */
const fewChanges = async (
  parts: RepoParts,
  from: CID | undefined,
  to: CID,
): Promise<readonly TreeChange[] | undefined> => {
  const changes: TreeChange[] = [];
  for await (const change of diffTrees(parts.nodes, from, to)) {
    if (changes.push(change) > MAX_EVENT_OPS) {
      return undefined;
    }
  }
  return changes;
};

/** Returns the blocks of a commit event, or `undefined` if they are too large for one. */
const eventBlocks = async (
  { hashAll, nodes, store }: RepoParts,
  commit: Block,
  data: CID,
  changes: readonly TreeChange[],
): Promise<Bytes | undefined> => {
  const proof = await coveringProof(
    nodes,
    data,
    changes.map(({ key }) => key),
  );
  const blocks = new Map([commit, ...proof].map((block) => [cidToText(block.cid), block]));
  let size = [...blocks.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  for (const { to } of changes) {
    if (to !== undefined && !blocks.has(cidBytesToText(to))) {
      const cid = decodeCid(to);
      const bytes = await requireBlock(store, cid, hashAll);
      blocks.set(cidToText(cid), { cid, bytes });
      size += bytes.length;
    }
    if (size > MAX_EVENT_BLOCKS) {
      return undefined;
    }
  }
  const car = writeCar([commit.cid], blocks.values());
  return car.length > MAX_EVENT_BLOCKS ? undefined : car;
};

/** `Repo.commitEvent`. */
export const makeEvent = (parts: RepoParts, at: string | CID | undefined): Promise<CommitEvent | SyncEvent> =>
  withPinned(
    parts.pins,
    () => findStep(parts, at),
    async ([{ cid, data, rev, hasKnownBase }, before]) => {
      const { did, hashAll, store } = parts;
      const commit: Block = { cid, bytes: await requireBlock(store, cid, hashAll) };
      const changes = hasKnownBase ? await fewChanges(parts, before?.data, data) : undefined;
      const blocks = changes && (await eventBlocks(parts, commit, data, changes));
      if (changes === undefined || blocks === undefined) {
        return { type: 'sync', did, rev, blocks: writeCar([cid], [commit]) };
      }
      const prevData = before === undefined ? {} : { prevData: before.data };
      const since = before?.rev ?? null;
      return { type: 'commit', repo: did, commit: cid, rev, since, ...prevData, ops: changes.map(opOf), blocks };
    },
  );
