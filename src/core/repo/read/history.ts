/** Resolves commits by rev, CID or ref; log and refs. */
import { CID, cidEquals, cidTextToBytes, decodeCid } from '../../data/cid.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import { findValue } from '../../mst/find.ts';
import type { TreeChange } from '../../mst/diff.ts';
import { diffTrees } from '../../mst/diff.ts';
import type { DiffOptions, LogOptions } from '../commits.ts';
import type { Head, LogEntry, RecordChange } from '../repo.ts';
import type { Tid } from '../../syntax/tid.ts';
import { isTid } from '../../syntax/tid.ts';
import type { ReadParts, RepoParts } from '../open-parts.ts';
import { MAIN, messageKey } from '../store-names.ts';
import { headOf, noCommit, readCommit, readHead } from './head.ts';
import { partsIn } from '../open-parts.ts';
import { pathOf, splitPath } from '../path.ts';
import { keptKey } from '../transfer/kept-refs.ts';
import { assertNoBranch, baseRef } from '../write/branch-line.ts';

/** Short and never a path of a file system, because other tools may write refs as files. */
const REF_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * Returns the commit that a rev, a CID (object or text) or a ref names.
 * @throws {RepoError} `RefNotFound` when no commit has that name; `BlockNotFound` when its block is missing.
 */
export const resolveCommit = async (parts: ReadParts, at: string | CID): Promise<Head> => {
  const cid = await commitCid(parts, at);
  if (cid === undefined) {
    throw new RepoError(
      'RefNotFound',
      `no rev, commit or ref has this name: see \`log\` and \`refs\`; name=${String(at).slice(0, 80)}`,
    );
  }
  return headOf(cid, await readCommit(parts.store, cid));
};

/**
 * Returns the commit of {@link resolveCommit}, or the head if `at` is omitted.
 * @throws {RepoError} as {@link resolveCommit}; `HeadNotFound` before the first commit.
 */
export const commitAt = async (parts: ReadParts, at: string | CID | undefined): Promise<Head> => {
  if (at !== undefined) {
    return resolveCommit(parts, at);
  }
  const head = await readHead(parts);
  if (head === undefined) {
    throw noCommit(parts.did);
  }
  return head;
};

const commitCid = async (parts: ReadParts, at: string | CID): Promise<CID | undefined> => {
  if (typeof at !== 'string') {
    const cid = CID.asCID(at);
    if (cid === null) {
      throw new TypeError(`expected a rev, a CID or the name of a ref; type=${typeof at}`);
    }
    return (await parts.store.get(cid)) === undefined ? undefined : cid;
  }
  if (isTid(at)) {
    return parts.store.commit(at);
  }
  const bytes = cidTextToBytes(at);
  return bytes === undefined ? parts.store.ref(at) : commitCid(parts, decodeCid(bytes));
};

/** Reads a listed commit. Returns `undefined` if it was removed from the list meanwhile. */
const readListed = async (parts: RepoParts, rev: Tid, cid: CID): Promise<Head | undefined> => {
  try {
    return headOf(cid, await readCommit(parts.store, cid));
  } catch (error) {
    if (isRepoError(error, 'BlockNotFound') && !cidEquals(await parts.store.commit(rev), cid)) {
      return undefined;
    }
    throw error;
  }
};

/** Yields the commits from the one that `ref` names, newest first; without `ref`, the whole list. */
async function* commitsFrom(parts: RepoParts, ref: string | CID | undefined): AsyncGenerator<Head> {
  let before: Tid | undefined;
  if (ref !== undefined) {
    const first = await resolveCommit(parts, ref);
    yield first;
    before = first.rev as Tid;
    const base = typeof ref === 'string' ? await parts.store.ref(baseRef(ref)) : undefined;
    if (base !== undefined) {
      const start = headOf(base, await readCommit(parts.store, base));
      yield start;
      before = start.rev as Tid;
    }
  }
  for await (const [rev, cid] of parts.store.commits({ before, reverse: true })) {
    const head = await readListed(parts, rev, cid);
    if (head !== undefined) {
      yield head;
    }
  }
}

/** Yields the commits after which the record at a path is another one than before. */
async function* changing(parts: RepoParts, commits: AsyncIterable<Head>, path: string): AsyncGenerator<LogEntry> {
  let last: { readonly head: Head; readonly record: CID | undefined } | undefined;
  for await (const head of commits) {
    let record: CID | undefined;
    try {
      record = await findValue(parts.nodes, head.data, path);
    } catch (error) {
      // `gc` has removed the commit during the iteration.
      if (isRepoError(error, 'BlockNotFound') && !cidEquals(await parts.store.commit(head.rev as Tid), head.cid)) {
        continue;
      }
      throw error;
    }
    if (last !== undefined && !cidEquals(last.record, record)) {
      yield { ...last.head, record: last.record };
    }
    last = { head, record };
  }
  if (last?.record !== undefined) {
    yield { ...last.head, record: last.record };
  }
}

/** `Repo.log`. */
export async function* logCommits(
  parts: RepoParts,
  { path, limit = Infinity, ref }: LogOptions = {},
): AsyncGenerator<LogEntry> {
  if (limit !== Infinity && !(Number.isInteger(limit) && limit >= 0)) {
    throw new TypeError(`limit is not a valid number of entries: use a whole number from 0; limit=${limit}`);
  }
  const commits = commitsFrom(parts, ref);
  let left = limit;
  for await (const entry of path === undefined ? commits : changing(parts, commits, pathOf(path, undefined))) {
    if (left-- <= 0) {
      return;
    }
    const message = await parts.store.meta(messageKey(entry.cid));
    yield message === undefined ? entry : { ...entry, message };
  }
}

/** Returns the change of a record that a change of its key in the tree means. */
export const recordChange = ({ key, from, to }: TreeChange): RecordChange => {
  const prev = from === undefined ? undefined : decodeCid(from);
  const cid = to === undefined ? undefined : decodeCid(to);
  const action = prev === undefined ? 'create' : cid === undefined ? 'delete' : 'update';
  return { action, ...splitPath(key), cid, prev };
};

/** Yields the changes from one tree to another, in key order. */
export async function* changesBetween(
  { nodes }: Pick<ReadParts, 'nodes'>,
  before: CID | undefined,
  after: CID | undefined,
  options?: DiffOptions,
): AsyncGenerator<RecordChange> {
  for await (const change of diffTrees(nodes, before, after, options)) {
    yield recordChange(change);
  }
}

export const listRefs = async (parts: RepoParts): Promise<ReadonlyMap<string, CID>> => {
  const refs = new Map<string, CID>();
  for await (const [name, cid] of parts.store.refs()) {
    refs.set(name, cid);
  }
  return refs;
};

const assertRefName = (name: string): void => {
  if (name === MAIN) {
    throw new RepoError(
      'InvalidRef',
      `the ref ${MAIN} is the head, and only commits and imports move it: choose another name; name=${name}`,
    );
  }
  if (!REF_NAME.test(name) || isTid(name) || cidTextToBytes(name) !== undefined) {
    throw new RepoError(
      'InvalidRef',
      `the name of the ref is not valid: use 1 to 128 of A-Z a-z 0-9 . _ -, not a rev or a CID; name=${String(name).slice(0, 80)}`,
    );
  }
};

/** `Repo.setRef`. */
export const setRef = async (parts: RepoParts, name: string, target: string | CID): Promise<void> => {
  assertRefName(name);
  await parts.store.transact(async (change) => {
    await assertNoBranch(partsIn(parts, change), name);
    const { cid } = await resolveCommit(partsIn(parts, change), target);
    await change.setRef(name, cid);
  });
};

/** `Repo.removeRef`. */
export const removeRef = async (parts: RepoParts, name: string): Promise<boolean> => {
  assertRefName(name);
  return parts.store.transact(async (change) => {
    await assertNoBranch(partsIn(parts, change), name);
    const exists = (await change.ref(name)) !== undefined;
    await change.setRef(name, undefined);
    await change.setMeta(keptKey(name), undefined);
    return exists;
  });
};
