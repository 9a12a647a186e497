/** Mending what can be mended, and saying what cannot. */
import { BoundedList } from '../../data/bounded-list.ts';
import { equalBytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { Progress } from '../long-work.ts';
import type { ReadParts, RepoParts } from '../open-parts.ts';
import { partsIn } from '../open-parts.ts';
import type { Transition } from '../read/transition.ts';
import { keepingTransition } from '../read/transition.ts';
import { MAIN, messageKey } from '../store-names.ts';
import { raiseEpoch } from './epoch.ts';
import type { Sweep } from './pins.ts';
import { batchesOf } from './reach.ts';
import { planBlobs, removeBlobs } from './repair-blobs.ts';
import type { Plan } from './repair-plan.ts';
import { createSteps, isHeadWhole, plan, query } from './repair-plan.ts';
import type { RepairOptions, RepairReport } from './repair-report.ts';
import { chooseHead, hasOnlyBranches, searchRepo } from './repair-search.ts';
import { createIsWhole } from './whole-trees.ts';

/** Where a move of the head is written down for good: the report may be lost, and the old head's CID with it. */
const movedKey = (time: Date): string => `repair:${time.toISOString()}`;

/** Plans the refs and the list of commits as they have to be. */
const planNames = async ({ nodes }: ReadParts, planned: Plan): Promise<void> => {
  const { search, head, refs, dropped, added } = planned;
  const old = search.refs.get(MAIN);
  if (!cidEquals(old, head?.cid)) {
    const from = old === undefined ? 'nothing' : cidToText(old);
    const to = head === undefined ? 'nothing: no commit is left' : `${cidToText(head.cid)} rev=${head.commit.rev}`;
    plan(planned, 'moveHead', `the head moved; from=${from} to=${to}`, { cid: head?.cid, path: MAIN });
    refs.set(MAIN, head?.cid);
  }
  const isWhole = createIsWhole(nodes, search.sound);
  // While the head lacks something, an import may bring back what the history lacks as well.
  const dropsHistory = isHeadWhole(head);
  /** Why a commit of the history cannot stay; `undefined` where it can. */
  const faultOf = async (cid: CID): Promise<string | undefined> => {
    const found = search.commits.get(cidToText(cid));
    if (found === undefined) {
      return 'the commit is not here';
    }
    return dropsHistory && !(await isWhole(found.commit.data)) ? 'blocks of its tree or records are gone' : undefined;
  };
  for (const [name, cid] of search.refs) {
    const fault = name === MAIN ? undefined : await faultOf(cid);
    if (fault !== undefined) {
      plan(planned, 'dropRef', `a ref was removed: ${fault}; ref=${name} cid=${cidToText(cid)}`, { cid, path: name });
      refs.set(name, undefined);
    }
  }
  for (const [rev, cid] of search.listed) {
    const found = search.commits.get(cidToText(cid));
    const isNewer = head !== undefined && rev > head.commit.rev;
    const what =
      found !== undefined && found.commit.rev !== rev
        ? 'it has another rev'
        : isNewer && found !== undefined
          ? 'its tree is not whole'
          : await faultOf(cid);
    if (what !== undefined) {
      plan(planned, 'dropCommit', `a commit went from the list: ${what}; rev=${rev} cid=${cidToText(cid)}`, {
        cid,
        path: rev,
      });
      dropped.set(rev, cid);
    }
  }
  for (const [text, { cid, commit }] of search.main) {
    const rev = commit.rev as Tid;
    const isHead = cidEquals(cid, head?.cid);
    const isEarlier = head !== undefined && rev < head.commit.rev;
    const isListed = search.listed.has(rev) && !dropped.has(rev);
    // What a `gc` has left of a commit, and a salvage found again, is no history.
    if (
      (isHead && !cidEquals(search.listed.get(rev), cid)) ||
      (isEarlier && !isListed && !added.has(rev) && (await isWhole(commit.data)))
    ) {
      plan(planned, 'addCommit', `a commit went into the list; rev=${rev} cid=${text}`, { cid, path: rev });
      added.set(rev, cid);
    }
  }
};

/** What the head lacks. */
const planLosses = ({ did }: ReadParts, { lost, head, search }: Plan): void => {
  const request = (cid: CID): string => `/xrpc/com.atproto.sync.getBlocks${query(did, 'cids', cid)}`;
  const old = search.refs.get(MAIN);
  if (head === undefined && old !== undefined) {
    lost.add({
      kind: 'block',
      message: `the commit of the head is gone, and there is no other: import a CAR; cid=${cidToText(old)}`,
      cid: old,
      request: request(old),
    });
  }
  const { records, nodes, cids } = head?.gaps ?? {};
  for (const { path, cid } of records?.items ?? []) {
    const message = `a record is gone: fetch it, or delete it; path=${path} cid=${cidToText(cid)}`;
    lost.add({ kind: 'record', message, cid, path, request: request(cid) });
  }
  lost.addCount((records?.count ?? 0) - (records?.items.length ?? 0));
  for (const { cid, fault } of nodes?.items ?? []) {
    const message =
      fault === undefined
        ? `a node of the head's tree is gone, and the records below it cannot be reached: import a CAR; cid=${cidToText(cid)}`
        : `the tree of the head is none, and what it says of records cannot be relied upon: import a CAR; ${fault}`;
    lost.add({ kind: 'block', message, cid, request: request(cid) });
  }
  lost.addCount((nodes?.count ?? 0) - (nodes?.items.length ?? 0));
  for (const bytes of search.damaged) {
    const isNamed =
      cids?.has(bytes) === true || (head === undefined && old !== undefined && equalBytes(old.bytes, bytes));
    if (!isNamed) {
      const cid = decodeCid(bytes.slice());
      const message = `a block that the head does not need is gone; cid=${cidToText(cid)}`;
      lost.add({ kind: 'block', message, cid, request: request(cid) });
    }
  }
};

const makePlan = async (parts: ReadParts, { signal, onProgress }: RepairOptions): Promise<Plan> => {
  const tally: { -readonly [K in keyof Progress]: Progress[K] } = { phase: 'verify', bytes: 0, blocks: 0, records: 0 };
  const search = await searchRepo(parts, (bytes) => {
    signal?.throwIfAborted();
    tally.bytes += bytes;
    tally.blocks += 1;
    onProgress?.({ ...tally });
  });
  const { count = 0, messages = [] } = (await parts.store.maintenance?.invalidRows()) ?? {};
  const planned: Plan = {
    steps: createSteps(),
    lost: new BoundedList(),
    search,
    head: await chooseHead(parts, search),
    hasInvalidRows: count > 0,
    refs: new Map(),
    dropped: new Map(),
    added: new Map(),
    badBlobs: [],
    lacksBlob: false,
  };
  for (const message of messages) {
    plan(planned, 'dropRow', message);
  }
  planned.steps.get('dropRow')!.addCount(count - messages.length);
  for (const bytes of search.damaged) {
    const cid = decodeCid(bytes.slice());
    const message = `a block whose bytes are not those that its CID names was removed; cid=${cidToText(cid)}`;
    plan(planned, 'dropBlock', message, { cid });
  }
  await planNames(parts, planned);
  planLosses(parts, planned);
  await planBlobs(parts, planned, signal);
  onProgress?.({ ...tally });
  return planned;
};

const apply = async (change: BlockChange, planned: Plan): Promise<void> => {
  const { search, head, hasInvalidRows, refs, dropped, added } = planned;
  if (hasInvalidRows) {
    await change.maintenance?.removeInvalidRows();
  }
  for (const batch of batchesOf(search.damaged)) {
    await change.remove(batch);
  }
  for (const [name, cid] of refs) {
    await change.setRef(name, cid);
  }
  for (const [rev, cid] of dropped) {
    await change.removeCommit(rev);
    if (!search.commits.has(cidToText(cid))) {
      await change.setMeta(messageKey(cid), undefined);
    }
  }
  for (const [rev, cid] of added) {
    await change.addCommit(rev, cid);
  }
  if (refs.has(MAIN)) {
    const from = search.refs.get(MAIN);
    const note = {
      from: from === undefined ? null : cidToText(from),
      to: head === undefined ? null : cidToText(head.cid),
    };
    await change.setMeta(movedKey(new Date()), JSON.stringify(note));
  }
};

/** There is no head, and there ought to be one: where nothing was ever written nothing is missing. */
const lacksHead = ({ head, search }: Plan): boolean => {
  const { refs, listed, sound, damaged } = search;
  const isEmpty = listed.size + sound.size + damaged.size === 0 && !refs.has(MAIN);
  return head === undefined && !isEmpty && !hasOnlyBranches(search);
};

/** Whether the head is another one afterwards, whose tree can be read. */
const movesHead = ({ head, refs }: Plan): boolean =>
  refs.has(MAIN) && head !== undefined && head.gaps.nodes.count === 0;

/** What a repair did, and from which head to which other one. */
export interface Repaired {
  readonly report: RepairReport;
  /** `undefined` when the head stayed, or there is none. The tree before it is not told: it may not be readable. */
  readonly transition: Transition | undefined;
}

/** `Repo.repair`. */
export const repairRepo = async (parts: RepoParts, options: RepairOptions = {}): Promise<Repaired> => {
  const { dryRun = false } = options;
  const [fault] = (await parts.store.maintenance?.check()) ?? [];
  if (fault !== undefined) {
    throw new RepoError('Corrupt', `the database itself is damaged, and has to be salvaged into a new one: ${fault}`);
  }
  let sweep: Sweep | undefined;
  let transition: Transition | undefined;
  const planned = await keepingTransition(parts.pins, (keep) =>
    parts.store.transact(async (change) => {
      sweep = await parts.pins.sweep();
      const made = await makePlan(partsIn(parts, change), options);
      if (!dryRun) {
        await apply(change, made);
        if (made.search.damaged.size > 0) {
          await raiseEpoch(change);
        }
        transition = movesHead(made) ? keep(undefined, made.head!.commit.data) : undefined;
      }
      return made;
    }),
  ).finally(() => sweep?.end());
  const { lost, head, badBlobs, lacksBlob } = planned;
  if (!dryRun) {
    // After all else: a blob that goes too late counts as damaged, and the next repair removes it.
    await removeBlobs(parts, badBlobs);
  }
  const whole = !lacksHead(planned) && (head === undefined || isHeadWhole(head)) && !lacksBlob;
  const steps = [...planned.steps.values()];
  const report: RepairReport = {
    whole,
    dryRun,
    head: head?.cid,
    rev: head?.commit.rev,
    steps: steps.flatMap(({ items }) => items),
    stepCount: steps.reduce((sum, { count }) => sum + count, 0),
    lost: lost.items,
    lostCount: lost.count,
  };
  return { report, transition };
};
