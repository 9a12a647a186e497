/** `Repo.repair`: plans the steps, applies them and reports losses. */
import { BoundedList } from '../../data/bounded-list.ts';
import { equalBytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { Progress } from '../long-work.ts';
import type { ReadParts, RepoParts } from '../open-parts.ts';
import { forgetWhole } from '../transfer/whole-tree.ts';
import { forgetCounts } from '../read/collection-counts.ts';
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

/** The meta key that records a move of the head, because the report with the old head's CID may get lost. */
const movedKey = (time: Date): string => `repair:${time.toISOString()}`;

/** Plans the changes of refs and of the list of commits. */
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
  // While the head lacks a block, an import may also restore blocks of the history.
  const dropsHistory = isHeadWhole(head);
  /** Returns why a commit cannot stay in the history, or `undefined` if it can. */
  const faultOf = async (cid: CID): Promise<string | undefined> => {
    const found = search.commits.get(cidToText(cid));
    if (found === undefined) {
      return 'the commit is missing';
    }
    return dropsHistory && !(await isWhole(found.commit.data))
      ? 'blocks of its tree or records are missing'
      : undefined;
  };
  for (const [name, cid] of search.refs) {
    const fault = name === MAIN ? undefined : await faultOf(cid);
    if (fault !== undefined) {
      plan(planned, 'dropRef', `removed a ref: ${fault}; ref=${name} cid=${cidToText(cid)}`, { cid, path: name });
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
          ? 'its tree is not complete'
          : await faultOf(cid);
    if (what !== undefined) {
      plan(planned, 'dropCommit', `removed a commit from the list: ${what}; rev=${rev} cid=${cidToText(cid)}`, {
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
    // A commit that `gc` removed and a salvage found again is not added: its tree is incomplete.
    if (
      (isHead && !cidEquals(search.listed.get(rev), cid)) ||
      (isEarlier && !isListed && !added.has(rev) && (await isWhole(commit.data)))
    ) {
      plan(planned, 'addCommit', `added a commit to the list; rev=${rev} cid=${text}`, { cid, path: rev });
      added.set(rev, cid);
    }
  }
};

/** Plans the losses: everything that the head lacks. */
const planLosses = ({ did }: ReadParts, { lost, head, search }: Plan): void => {
  const request = (cid: CID): string => `/xrpc/com.atproto.sync.getBlocks${query(did, 'cids', cid)}`;
  const old = search.refs.get(MAIN);
  if (head === undefined && old !== undefined) {
    lost.add({
      kind: 'block',
      message: `the commit of the head is missing, and there is no other: import a CAR; cid=${cidToText(old)}`,
      cid: old,
      request: request(old),
    });
  }
  const { records, nodes, cids } = head?.gaps ?? {};
  for (const { path, cid } of records?.items ?? []) {
    const message = `a record is missing: fetch it, or delete it; path=${path} cid=${cidToText(cid)}`;
    lost.add({ kind: 'record', message, cid, path, request: request(cid) });
  }
  lost.addCount((records?.count ?? 0) - (records?.items.length ?? 0));
  for (const { cid, fault } of nodes?.items ?? []) {
    const message =
      fault === undefined
        ? `a node of the head's tree is missing, and so are the records below it: import a CAR; cid=${cidToText(cid)}`
        : `the tree of the head is not valid, so its records are not reliable: import a CAR; ${fault}`;
    lost.add({ kind: 'block', message, cid, request: request(cid) });
  }
  lost.addCount((nodes?.count ?? 0) - (nodes?.items.length ?? 0));
  for (const bytes of search.damaged) {
    const isNamed =
      cids?.has(bytes) === true || (head === undefined && old !== undefined && equalBytes(old.bytes, bytes));
    if (!isNamed) {
      const cid = decodeCid(bytes.slice());
      const message = `a block that the head does not need is missing; cid=${cidToText(cid)}`;
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
  const { count = 0, messages = [] } = (await parts.store.maintenance?.invalidRows?.()) ?? {};
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
    const message = `removed a block whose bytes do not match its CID; cid=${cidToText(cid)}`;
    plan(planned, 'dropBlock', message, { cid });
  }
  await planNames(parts, planned);
  planLosses(parts, planned);
  await planBlobs(parts, planned, signal);
  onProgress?.({ ...tally });
  return planned;
};

const apply = async (parts: RepoParts, change: BlockChange, planned: Plan): Promise<void> => {
  const { search, head, hasInvalidRows, refs, dropped, added } = planned;
  await forgetWhole(parts, change);
  await forgetCounts(parts, change);
  // `get` then reads what is stored.
  parts.records.clear();
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

/** Returns whether a head is missing. In a repository without any commit, no head is missing. */
const lacksHead = ({ head, search }: Plan): boolean => {
  const { refs, listed, sound, damaged } = search;
  const isEmpty = listed.size + sound.size + damaged.size === 0 && !refs.has(MAIN);
  return head === undefined && !isEmpty && !hasOnlyBranches(search);
};

/** Returns whether the repair moves the head to a commit with a readable tree. */
const movesHead = ({ head, refs }: Plan): boolean =>
  refs.has(MAIN) && head !== undefined && head.gaps.nodes.count === 0;

/** The report, and the transition from the old head to the new one. */
export interface Repaired {
  readonly report: RepairReport;
  /** `undefined` if the head stayed or is missing. Has no tree before the repair, because it may be unreadable. */
  readonly transition: Transition | undefined;
}

/** `Repo.repair`. */
export const repairRepo = async (parts: RepoParts, options: RepairOptions = {}): Promise<Repaired> => {
  const { dryRun = false } = options;
  const [fault] = (await parts.store.maintenance?.check?.()) ?? [];
  if (fault !== undefined) {
    throw new RepoError(
      'Corrupt',
      `the database file is damaged: use salvageRepo to copy it into a new repository; ${fault}`,
    );
  }
  let sweep: Sweep | undefined;
  let transition: Transition | undefined;
  const planned = await keepingTransition(parts.pins, (keep) =>
    parts.store.transact(async (change) => {
      sweep = await parts.pins.sweep();
      const made = await makePlan(partsIn(parts, change), options);
      if (!dryRun) {
        await apply(parts, change, made);
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
    // Last: if this fails, the blob is still damaged and the next repair removes it.
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
