/**
 * What a repair has to know before it does anything: what is sound, which commits there are, and whose trees are whole.
 */
import { BoundedList } from '../../data/bounded-list.ts';
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import type { Commit } from '../commit.ts';
import { decodeCommitBlock } from '../commit.ts';
import { isRepoError } from '../../errors.ts';
import { verifyTree } from '../../mst/verify.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { ReadParts } from '../open-parts.ts';
import { MAIN } from '../store-names.ts';
import { mainCommits, headCandidates } from './main-commits.ts';
import { pastDamage, surveyBlocks } from './survey.ts';

/** A commit whose block is sound. */
export interface FoundCommit {
  readonly cid: CID;
  readonly commit: Commit;
}

export interface RepairSearch {
  readonly sound: CidSet;
  readonly damaged: CidSet;
  /** Every sound commit of this account, by the text of its CID. */
  readonly commits: ReadonlyMap<string, FoundCommit>;
  /** Those of them that may be of the account's history. */
  readonly main: ReadonlyMap<string, FoundCommit>;
  /** As they are written down, as far as they can be read. */
  readonly refs: ReadonlyMap<string, CID>;
  readonly listed: ReadonlyMap<Tid, CID>;
}

/** A commit is a map of four to seven fields, and so are many records: the first byte spares most of them. */
const mayBeCommit = ([first = 0]: Uint8Array): boolean => first >= 0xa4 && first <= 0xa7;

const commitOf = (cid: CID, bytes: Uint8Array, did: string): Commit | undefined => {
  try {
    const commit = decodeCommitBlock(cid, bytes);
    return commit.did === did ? commit : undefined;
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    // A record.
    return undefined;
  }
};

/** @param tell Called for each block. */
export const searchRepo = async (parts: ReadParts, tell: (bytes: number) => void): Promise<RepairSearch> => {
  const { did, hashAll, store } = parts;
  const commits = new Map<string, FoundCommit>();
  const survey = await surveyBlocks(store, hashAll, (cid, bytes, sound) => {
    tell(bytes?.length ?? 0);
    const commit = sound && mayBeCommit(bytes!) ? commitOf(cid, bytes!, did) : undefined;
    if (commit !== undefined) {
      commits.set(cidToText(cid), { cid, commit });
    }
  });
  const names = store.maintenance ?? store;
  const refs = new Map<string, CID>();
  for await (const [name, cid] of names.refs()) {
    refs.set(name, cid);
  }
  const listed = new Map<Tid, CID>();
  for await (const [rev, cid] of names.commits()) {
    listed.set(rev, cid);
  }
  const main = await mainCommits(parts, { refs, listed }, commits.values());
  return { ...survey, commits, main, refs, listed };
};

/** Whether what is here is of branches alone, so that no head is missing: the account has no commit yet. */
export const hasOnlyBranches = ({ commits, main, listed, damaged, refs }: RepairSearch): boolean =>
  commits.size > 0 && main.size + listed.size + damaged.size === 0 && !refs.has(MAIN);

/** What a tree lacks: nodes, with a word about each that is here and in the wrong place, and records by path. */
export interface TreeGaps {
  readonly nodes: BoundedList<{ readonly cid: CID; readonly fault: string | undefined }>;
  readonly records: BoundedList<{ readonly path: string; readonly cid: CID }>;
  /** The CIDs of both. */
  readonly cids: CidSet;
}

/** Looks at a tree as `verify` does: one that it finds a fault in is not called whole here. */
export const gapsOf = async ({ store, hashAll }: ReadParts, { sound }: RepairSearch, root: CID): Promise<TreeGaps> => {
  const gaps: TreeGaps = { nodes: new BoundedList(), records: new BoundedList(), cids: createCidSet() };
  await verifyTree(pastDamage(store), root, {
    hashAll,
    hashed: sound,
    onFault({ cid = root, code, message }) {
      gaps.cids.add(cid.bytes);
      gaps.nodes.add({ cid, fault: code === 'Malformed' ? message : undefined });
    },
    async onLeaves(leaves) {
      for (const { key, value } of leaves) {
        if (!sound.has(value)) {
          gaps.cids.add(value);
          gaps.records.add({ path: key, cid: decodeCid(value.slice()) });
        }
      }
    },
  });
  return gaps;
};

/** The commit that is to be the head, and what its tree lacks. */
export interface ChosenHead extends FoundCommit {
  readonly gaps: TreeGaps;
}

const isWhole = ({ nodes }: TreeGaps): boolean => nodes.count === 0;

/**
 * The head as it is, if its tree is whole and no newer commit is listed. Otherwise the newest commit whose tree is
 * whole; if there is none, the head as it is, if its commit is here, or the newest commit. A tree that lacks records is
 * whole: going back to before such a record was written would lose all that came after it. Commits of branches, those
 * that only other refs reach, and unsigned ones of a signed history are not chosen.
 */
export const chooseHead = async (parts: ReadParts, search: RepairSearch): Promise<ChosenHead | undefined> => {
  const { commits, listed, refs } = search;
  const main = refs.get(MAIN);
  const current = main && commits.get(cidToText(main));
  const newestListed = [...listed.keys()].sort().at(-1);
  const currentGaps = current && (await gapsOf(parts, search, current.commit.data));
  const isOvertaken = current !== undefined && newestListed !== undefined && newestListed > current.commit.rev;
  if (current !== undefined && !isOvertaken && isWhole(currentGaps!)) {
    return { ...current, gaps: currentGaps! };
  }
  const rank = (found: FoundCommit): string => {
    // Of two with one rev, the head comes first, then the one that is listed.
    const place = cidEquals(found.cid, main) ? 2 : cidEquals(listed.get(found.commit.rev as Tid), found.cid) ? 1 : 0;
    return `${found.commit.rev} ${place}`;
  };
  const newestFirst = [...headCandidates(search, search.main.values())].sort((a, b) => (rank(a) < rank(b) ? 1 : -1));
  for (const found of newestFirst) {
    const gaps = await gapsOf(parts, search, found.commit.data);
    if (isWhole(gaps)) {
      return { ...found, gaps };
    }
  }
  const left = current ?? newestFirst[0];
  return left && { ...left, gaps: currentGaps ?? (await gapsOf(parts, search, left.commit.data)) };
};
