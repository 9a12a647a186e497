/** Commits of a branch: two refs, no signature. */
import type { CID } from '../../data/cid.ts';
import { cidOf, cidTextToBytes, CODEC_DAG_CBOR } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import { EMPTY_NODE_BYTES, EMPTY_ROOT } from '../../mst/node.ts';
import type { BlockChange } from '../../storage/ports.ts';
import { stageBlocks } from '../../storage/stage-blocks.ts';
import { isTid, ZERO_TID } from '../../syntax/tid.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { Commit } from '../commit.ts';
import { decodeCommit, encodeCommit } from '../commit.ts';
import type { Head } from '../commits.ts';
import type { ReadParts } from '../open-parts.ts';
import { MAIN, messageKey } from '../store-names.ts';
import { headOf, readCommit, readHead } from '../read/head.ts';
import type { Line } from './line.ts';
import { setMetaValues } from './meta.ts';
import { atCommit, readRequests } from './requests.ts';

const BASE = '.base';

/** Short and never a path of a file system, because other tools may write refs as files. */
const BRANCH_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,122}$/;

/** The ref of a branch's base. */
export const baseRef = (name: string): string => `${name}${BASE}`;

/** Returns whether a name is reserved for bases of branches. */
export const isBaseRef = (name: string): boolean => name.endsWith(BASE);

/** @throws {RepoError} `InvalidRef` when the name is not valid for a branch. */
export const assertBranchName = (name: string): void => {
  const isOther = name === MAIN || isBaseRef(name) || isTid(name) || cidTextToBytes(name) !== undefined;
  if (typeof name !== 'string' || !BRANCH_NAME.test(name) || isOther) {
    throw new RepoError(
      'InvalidRef',
      `the name of the branch is not valid: use 1 to 123 of A-Z a-z 0-9 . _ -, no ${BASE} at the end, not ${MAIN}, a rev or a CID; ` +
        `name=${String(name).slice(0, 80)}`,
    );
  }
};

/** The head and the base of a branch. */
export interface BranchEnds {
  readonly head: Head;
  readonly base: Head;
}

const isBranch = async ({ store }: ReadParts, name: string): Promise<boolean> =>
  (await store.ref(name)) !== undefined && (await store.ref(baseRef(name))) !== undefined;

/**
 * Returns the head and the base of a branch, or `undefined` before its first write.
 * @throws {RepoError} `InvalidRef` when a ref has this name and is not a branch.
 */
export const readBranch = async ({ store }: ReadParts, name: string): Promise<BranchEnds | undefined> => {
  const [head, base] = [await store.ref(name), await store.ref(baseRef(name))];
  if (head === undefined) {
    return undefined;
  }
  if (base === undefined) {
    throw new RepoError('InvalidRef', `the ref is not a branch: choose another name; name=${name}`);
  }
  return { head: headOf(head, await readCommit(store, head)), base: headOf(base, await readCommit(store, base)) };
};

/** @throws {RepoError} `InvalidRef` when a ref belongs to a branch. */
export const assertNoBranch = async (inside: ReadParts, name: string): Promise<void> => {
  if (isBaseRef(name) || (await isBranch(inside, name))) {
    throw new RepoError('InvalidRef', `the ref belongs to a branch: use branch(name) to change it; name=${name}`);
  }
};

/** Yields the names of branches, in order. */
export async function* branchNames(store: Pick<ReadParts['store'], 'refs'>): AsyncGenerator<string> {
  const names = new Set<string>();
  for await (const [name] of store.refs()) {
    names.add(name);
  }
  for (const name of names) {
    if (names.has(baseRef(name))) {
      yield name;
    }
  }
}

/**
 * Returns whether a commit belongs to a branch. Its `prev` is the base of the branch; commits of the account's history
 * have no `prev`. So a repair can distinguish them when refs are lost.
 */
export const isBranchCommit = ({ version, prev, sig }: Commit): boolean =>
  version === 3 && sig === undefined && prev !== null;

/** Stores an unsigned commit, and returns its CID. Part of a change. */
export const storeUnsigned = async (
  change: BlockChange,
  fields: Pick<Commit, 'data' | 'did' | 'rev'> & { readonly prev: CID },
): Promise<CID> => {
  const bytes = encodeCommit({ ...fields, version: 3, sig: undefined });
  // Decoded before it is stored, so that no unreadable commit is made.
  decodeCommit(bytes);
  const cid = cidOf(CODEC_DAG_CBOR, bytes);
  await stageBlocks(change, [{ cid, bytes }]);
  return cid;
};

/** Returns the base of a new branch: the head, or a new commit without records if there is no head. */
const beginAt = async (did: string, change: BlockChange, head: Head | undefined): Promise<CID> => {
  if (head !== undefined) {
    return head.cid;
  }
  await stageBlocks(change, [{ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES }]);
  return storeUnsigned(change, { did, data: EMPTY_ROOT, rev: ZERO_TID, prev: EMPTY_ROOT });
};

export const branchLine = (name: string): Line => ({
  async ground(inside) {
    const ends = await readBranch(inside, name);
    return { head: ends?.head, state: ends === undefined ? await readHead(inside) : ends.head };
  },
  async store({ clock, did }, change, { head, state }, data, blocks, { message, meta, request }) {
    const base = head === undefined ? await beginAt(did, change, state) : (await change.ref(baseRef(name)))!;
    const rev = clock.next(state === undefined ? undefined : (state.rev as Tid));
    await stageBlocks(change, blocks);
    const cid = await storeUnsigned(change, { did, data, rev, prev: base });
    await change.setRef(name, cid);
    await change.setRef(baseRef(name), base);
    if (head !== undefined) {
      await change.setMeta(messageKey(head.cid), undefined);
    }
    if (message !== undefined) {
      await change.setMeta(messageKey(cid), message);
    }
    await setMetaValues(change, meta);
    if (request !== undefined) {
      await (await readRequests(change)).add(change, request, rev, atCommit(cid));
    }
    return { cid, rev };
  },
});
