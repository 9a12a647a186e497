/** Mending what can be mended, and saying what cannot. */
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import type { Progress } from '../long-work.ts';
import type { Loss, RepairOptions, RepairReport, RepairStep } from './repair-report.ts';
import { REPAIR_ACTIONS } from './repair-report.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import { isBlobIntact, mentionsOf } from '../read/blobs.ts';
import type { Transition } from '../read/transition.ts';
import { keepingTransition } from '../read/transition.ts';
import type { ReadParts, RepoParts } from '../parts.ts';
import { MAIN, messageKey, partsIn } from '../parts.ts';
import { raiseEpoch } from './epoch.ts';
import type { Sweep } from './pins.ts';
import { batchesOf } from './reach.ts';
import type { ChosenHead, RepairSearch } from './repair-search.ts';
import { chooseHead, searchRepo } from './repair-search.ts';
import { pastDamage } from './survey.ts';
import { createIsWhole } from './whole-trees.ts';
import { walkLeaves } from '../../mst/walk.ts';

/** Where a move of the head is written down for good: the report may be lost, and the old head's CID with it. */
const movedKey = (time: Date): string => `repair:${time.toISOString()}`;

/** What is to be done, with the words about it. */
interface Plan {
  readonly steps: RepairStep[];
  readonly lost: Loss[];
  readonly search: RepairSearch;
  readonly head: ChosenHead | undefined;
  readonly hasInvalidRows: boolean;
  readonly refs: Map<string, CID | undefined>;
  readonly dropped: Map<Tid, CID>;
  readonly added: Map<Tid, CID>;
  readonly badBlobs: CID[];
}

const plan = (
  steps: Plan['steps'],
  action: RepairStep['action'],
  message: string,
  where: Pick<RepairStep, 'cid' | 'path'> = {},
): void => {
  steps.push({ action, message, ...where });
};

/** The refs and the list of commits as they have to be. */
const planNames = async ({ nodes }: ReadParts, { steps, search, head, refs, dropped, added }: Plan): Promise<void> => {
  const old = search.refs.get(MAIN);
  if (!cidEquals(old, head?.cid)) {
    const from = old === undefined ? 'nothing' : cidToText(old);
    const to = head === undefined ? 'nothing: no commit is left' : `${cidToText(head.cid)} rev=${head.commit.rev}`;
    plan(steps, 'moveHead', `the head moved; from=${from} to=${to}`, { cid: head?.cid, path: MAIN });
    refs.set(MAIN, head?.cid);
  }
  for (const [name, cid] of search.refs) {
    if (name !== MAIN && !search.commits.has(cidToText(cid))) {
      plan(steps, 'dropRef', `a ref to a commit that is not here; ref=${name} cid=${cidToText(cid)}`, {
        cid,
        path: name,
      });
      refs.set(name, undefined);
    }
  }
  for (const [rev, cid] of search.listed) {
    const found = search.commits.get(cidToText(cid));
    const isNewer = head !== undefined && rev > head.commit.rev;
    if (found === undefined || found.commit.rev !== rev || isNewer) {
      const what = found === undefined ? 'it is not here' : isNewer ? 'its tree is not whole' : 'it has another rev';
      plan(steps, 'dropCommit', `a commit went from the list: ${what}; rev=${rev} cid=${cidToText(cid)}`, {
        cid,
        path: rev,
      });
      dropped.set(rev, cid);
    }
  }
  const isWhole = createIsWhole(nodes, search.sound);
  for (const [text, { cid, commit }] of search.commits) {
    const rev = commit.rev as Tid;
    const isHead = cidEquals(cid, head?.cid);
    const isEarlier = head !== undefined && rev < head.commit.rev;
    const isListed = search.listed.has(rev) && !dropped.has(rev);
    // What a `gc` has left of a commit, and a salvage found again, is no history.
    if (
      (isHead && !cidEquals(search.listed.get(rev), cid)) ||
      (isEarlier && !isListed && !added.has(rev) && (await isWhole(commit.data)))
    ) {
      plan(steps, 'addCommit', `a commit went into the list; rev=${rev} cid=${text}`, { cid, path: rev });
      added.set(rev, cid);
    }
  }
};

const query = (did: string, name: string, cid: CID): string =>
  `?did=${encodeURIComponent(did)}&${name}=${cidToText(cid)}`;

/** What the head lacks. */
const planLosses = ({ did }: ReadParts, { lost, head, search }: Plan): void => {
  const request = (cid: CID): string => `/xrpc/com.atproto.sync.getBlocks${query(did, 'cids', cid)}`;
  const known = createCidSet();
  const old = search.refs.get(MAIN);
  if (head === undefined && old !== undefined) {
    known.add(old.bytes);
    lost.push({
      kind: 'block',
      message: `the commit of the head is gone, and there is no other: import a CAR; cid=${cidToText(old)}`,
      cid: old,
      request: request(old),
    });
  }
  for (const { path, cid } of head?.gaps.records ?? []) {
    known.add(cid.bytes);
    const message = `a record is gone: fetch it, or delete it; path=${path} cid=${cidToText(cid)}`;
    lost.push({ kind: 'record', message, cid, path, request: request(cid) });
  }
  for (const { cid, fault } of head?.gaps.nodes ?? []) {
    known.add(cid.bytes);
    const message =
      fault === undefined
        ? `a node of the head's tree is gone, and the records below it cannot be reached: import a CAR; cid=${cidToText(cid)}`
        : `the tree of the head is none, and what it says of records cannot be relied upon: import a CAR; ${fault}`;
    lost.push({ kind: 'block', message, cid, request: request(cid) });
  }
  for (const cid of [...search.damaged].map((bytes) => decodeCid(bytes.slice()))) {
    if (known.add(cid.bytes)) {
      lost.push({
        kind: 'block',
        message: `a block that the head does not need is gone; cid=${cidToText(cid)}`,
        cid,
        request: request(cid),
      });
    }
  }
};

/** Blobs whose bytes are others, and what else stands in their place. */
const findBadBlobs = async (
  { blobs }: ReadParts,
  signal: AbortSignal | undefined,
): Promise<Map<string, { cid: CID; message: string }>> => {
  const bad = new Map<string, { cid: CID; message: string }>();
  for await (const { cid, size } of blobs.list()) {
    signal?.throwIfAborted();
    const blob = await blobs.get(cid);
    if (blob !== undefined && !(await isBlobIntact(cid, blob))) {
      bad.set(cidToText(cid), {
        cid,
        message: `a file that is not the blob of its name was removed; cid=${cidToText(cid)} size=${size}`,
      });
    }
  }
  for await (const { cid, message } of blobs.strays?.() ?? []) {
    bad.set(cidToText(cid), { cid, message: `what stood in the place of a blob was removed: ${message}` });
  }
  return bad;
};

/** The first record of the head that mentions each of some blobs. */
const pathsOfMentions = async (
  parts: ReadParts,
  head: ChosenHead,
  wanted: ReadonlyMap<string, unknown>,
): Promise<Map<string, string>> => {
  const paths = new Map<string, string>();
  if (wanted.size === 0 || head.gaps.nodes.length > 0) {
    return paths;
  }
  const blocks = pastDamage(parts.store);
  for await (const batch of walkLeaves(parts.nodes, head.commit.data)) {
    const cids = batch.map(({ value }) => decodeCid(value));
    for (const [i, bytes] of (await blocks.getMany(cids)).entries()) {
      const path = batch[i]!.key;
      for (const { cid } of bytes === undefined ? [] : mentionsOf(path, cids[i]!, bytes)) {
        const text = cidToText(cid);
        if (wanted.has(text) && !paths.has(text)) {
          paths.set(text, path);
        }
      }
    }
  }
  return paths;
};

const planBlobs = async (
  parts: ReadParts,
  { steps, lost, head, badBlobs }: Plan,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const bad = await findBadBlobs(parts, signal);
  const paths = head === undefined ? new Map<string, string>() : await pathsOfMentions(parts, head, bad);
  for (const [text, { cid, message }] of bad) {
    plan(steps, 'dropBlob', message, { cid });
    badBlobs.push(cid);
    const path = paths.get(text);
    const what = path === undefined ? 'no record of the head that can be read mentions it' : `path=${path}`;
    lost.push({
      kind: 'blob',
      message: `a blob is gone; ${what} cid=${text}`,
      cid,
      path,
      request: `/xrpc/com.atproto.sync.getBlob${query(parts.did, 'cid', cid)}`,
    });
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
  const invalidRows = (await parts.store.maintenance?.invalidRows()) ?? [];
  const planned: Plan = {
    steps: [],
    lost: [],
    search,
    head: await chooseHead(parts, search),
    hasInvalidRows: invalidRows.length > 0,
    refs: new Map(),
    dropped: new Map(),
    added: new Map(),
    badBlobs: [],
  };
  for (const message of invalidRows) {
    plan(planned.steps, 'dropRow', message);
  }
  for (const cid of [...search.damaged].map((bytes) => decodeCid(bytes.slice()))) {
    plan(
      planned.steps,
      'dropBlock',
      `a block whose bytes are not those that its CID names was removed; cid=${cidToText(cid)}`,
      { cid },
    );
  }
  await planNames(parts, planned);
  planLosses(parts, planned);
  await planBlobs(parts, planned, signal);
  planned.steps.sort((a, b) => REPAIR_ACTIONS.indexOf(a.action) - REPAIR_ACTIONS.indexOf(b.action));
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
const lacksHead = ({ head, search: { refs, listed, sound, damaged } }: Plan): boolean =>
  head === undefined && (refs.has(MAIN) || listed.size + sound.size + damaged.size > 0);

/** Whether the head is another one afterwards, whose tree can be read. */
const movesHead = ({ head, refs }: Plan): boolean =>
  refs.has(MAIN) && head !== undefined && head.gaps.nodes.length === 0;

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
  const { steps, lost, head, badBlobs } = planned;
  if (!dryRun) {
    // After all else: a blob that goes too late counts as damaged, and the next repair removes it.
    await removeBlobs(parts, badBlobs);
  }
  const { nodes = [], records = [] } = head?.gaps ?? {};
  const whole =
    !lacksHead(planned) &&
    nodes.length === 0 &&
    records.length === 0 &&
    !lost.some(({ kind, path }) => kind === 'blob' && path !== undefined);
  const report: RepairReport = { whole, dryRun, head: head?.cid, rev: head?.commit.rev, steps, lost };
  return { report, transition };
};

const removeBlobs = async ({ blobs }: RepoParts, cids: readonly CID[]): Promise<void> => {
  for (const cid of cids) {
    try {
      await blobs.delete([cid]);
    } catch (cause) {
      throw new RepoError(
        isRepoError(cause) ? cause.code : 'StorageFailed',
        `all is repaired but what stands in the place of a blob: remove it by hand; cid=${cidToText(cid)}`,
        { cause },
      );
    }
  }
};
