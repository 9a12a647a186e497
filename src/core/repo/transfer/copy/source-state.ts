/** One state of a repository that is copied. `gc` of this process keeps it until it is released. */
import type { CID } from '../../../data/cid.ts';
import type { CidSet } from '../../../data/cid-set.ts';
import { createCidSet } from '../../../data/cid-set.ts';
import { listOf } from '../../../data/list-of.ts';
import { requireBlocks } from '../../../storage/checked-blocks.ts';
import type { StoreReader } from '../../../storage/ports.ts';
import type { Tid } from '../../../syntax/tid.ts';
import { readEpoch } from '../../care/epoch.ts';
import { decodeCommitBlock } from '../../commit.ts';
import type { Head } from '../../commits.ts';
import type { RepoParts } from '../../open-parts.ts';
import { headOf } from '../../read/head.ts';
import { changedMeanwhile } from '../../read-only.ts';
import type { RepoAccess } from '../../repo-access.ts';
import { MAIN } from '../../store-names.ts';
import { readBase, rootOf } from '../base.ts';
import { isKeptRef, keptRefs } from '../kept-refs.ts';
import { batchesOf } from '../../care/reach.ts';

/** Attempts to read one state while other processes write. */
const MAX_TRIES = 20;

/** The meta values that a store makes itself: whose repository it is, and the version of its tables. */
const OF_THE_STORE: ReadonlySet<string> = new Set(['did', 'version']);

export interface SourceState {
  readonly head: Head | undefined;
  readonly refs: readonly [name: string, cid: CID][];
  readonly meta: readonly [name: string, value: string][];
  readonly commits: readonly [rev: Tid, cid: CID][];
  /** Commits all of whose blocks are stored. The head is the first. */
  readonly whole: readonly Head[];
  /** Old heads, which may lack blocks. */
  readonly mayLack: readonly Head[];
  /** Roots of the trees that local work is compared with. Of such a tree, only the nodes are kept. */
  readonly bases: readonly CID[];
  readonly blobs: CidSet;
  /** The state of the removals of blocks. */
  readonly epoch: number;
  release(): void;
}

/** Lists the meta values of a repository, without those that its store makes itself. */
export async function* copiedMeta(store: Pick<StoreReader, 'metaEntries'>): AsyncGenerator<[string, string]> {
  for await (const [name, value] of store.metaEntries()) {
    if (!OF_THE_STORE.has(name)) {
      yield [name, value];
    }
  }
}

const readHeads = async (store: StoreReader, cids: CidSet, { hashAll }: RepoParts): Promise<Head[]> => {
  const heads: Head[] = [];
  for (const batch of batchesOf(cids)) {
    const blocks = await requireBlocks(store, batch, hashAll);
    heads.push(...batch.map((cid, i) => headOf(cid, decodeCommitBlock(cid, blocks[i]!))));
  }
  return heads;
};

const readBases = async (store: StoreReader): Promise<CID[]> => {
  const bases = [await readBase(store)];
  for await (const { base } of keptRefs(store)) {
    bases.push(base);
  }
  return bases.map(rootOf).filter((root) => root !== undefined);
};

const readState = async (parts: RepoParts, store: StoreReader): Promise<SourceState> => {
  const refs = await listOf(store.refs());
  const commits = await listOf(store.commits());
  const meta = await listOf(copiedMeta(store));
  const main = await store.ref(MAIN);
  const [whole, mayLack] = [createCidSet(commits.length), createCidSet()];
  const add = (cid: CID): void => void (mayLack.has(cid.bytes) || whole.add(cid.bytes));
  if (main !== undefined) {
    add(main);
  }
  refs.filter(([name]) => !isKeptRef(name)).forEach(([, cid]) => add(cid));
  for (const [, cid] of refs) {
    if (!whole.has(cid.bytes)) {
      mayLack.add(cid.bytes);
    }
  }
  // An old head that a ref keeps may lack blocks, also if it is listed.
  commits.forEach(([, cid]) => add(cid));
  const wholeHeads = await readHeads(store, whole, parts);
  const lackingHeads = await readHeads(store, mayLack, parts);
  const bases = await readBases(store);
  const epoch = await readEpoch(store);
  const blobs = createCidSet();
  for await (const { cid } of parts.blobs.list()) {
    blobs.add(cid.bytes);
  }
  // Pinned inside the change, so that `gc` cannot remove anything before it is pinned.
  const pinned = parts.pins.hold([...wholeHeads, ...lackingHeads, ...bases.map((data) => ({ data }))]);
  const releaseBlobs = parts.pins.holdBlobs(blobs);
  return {
    head: main && wholeHeads[0],
    refs,
    meta,
    commits,
    whole: wholeHeads,
    mayLack: lackingHeads,
    bases,
    blobs,
    epoch,
    release() {
      pinned.release();
      releaseBlobs();
    },
  };
};

/**
 * Reads one state of the source, and pins it. Names, meta values and commits are in memory then, blocks are not.
 * @throws {RepoError} `BlockNotFound`, `Corrupt` for a commit; `Locked` if other processes write all the time.
 */
export const pinSourceState = async ({ parts: access, readOnly }: RepoAccess): Promise<SourceState> => {
  const parts = access();
  if (readOnly === undefined) {
    return parts.store.transact((change) => readState(parts, change));
  }
  // A reader holds no lock. Two reads may see two states.
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { changes } = readOnly;
    const state = await readState(parts, parts.store);
    if (readOnly.changes === changes) {
      return state;
    }
    state.release();
  }
  throw changedMeanwhile();
};
