/** The search before a repair: intact blocks, stored commits, and which trees are complete. */
import { BoundedList } from '../../data/bounded-list.ts';
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import type { Commit } from '../commit.ts';
import { decodeCommitBlock } from '../commit.ts';
import { isRepoError } from '../../errors.ts';
import { verifyTree } from '../../mst/verify.ts';
import { lenientReads } from '../../storage/lenient-reads.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { ReadParts } from '../open-parts.ts';
import { MAIN } from '../store-names.ts';
import { mainCommits, headCandidates } from './main-commits.ts';
import { pastDamage, surveyBlocks } from './survey.ts';

/** A commit whose block is intact. */
export interface FoundCommit {
  readonly cid: CID;
  readonly commit: Commit;
}

export interface RepairSearch {
  readonly sound: CidSet;
  readonly damaged: CidSet;
  /** All intact commits of this account, by CID text. */
  readonly commits: ReadonlyMap<string, FoundCommit>;
  /** Those that may belong to the account's history. */
  readonly main: ReadonlyMap<string, FoundCommit>;
  /** The stored refs, as far as they are readable. */
  readonly refs: ReadonlyMap<string, CID>;
  readonly listed: ReadonlyMap<Tid, CID>;
}

/** A commit is a CBOR map of four to seven fields. The first byte excludes most records without decoding them. */
const mayBeCommit = ([first = 0]: Uint8Array): boolean => first >= 0xa4 && first <= 0xa7;

const commitOf = (cid: CID, bytes: Uint8Array, did: string): Commit | undefined => {
  try {
    const commit = decodeCommitBlock(cid, bytes);
    return commit.did === did ? commit : undefined;
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    // Not a commit: a record or a node.
    return undefined;
  }
};

/** @param onBlock Called with the size of each block. */
export const searchRepo = async (parts: ReadParts, onBlock: (bytes: number) => void): Promise<RepairSearch> => {
  const { did, hashAll, store } = parts;
  const commits = new Map<string, FoundCommit>();
  const survey = await surveyBlocks(store, hashAll, (cid, bytes, sound) => {
    onBlock(bytes?.length ?? 0);
    const commit = sound && mayBeCommit(bytes!) ? commitOf(cid, bytes!, did) : undefined;
    if (commit !== undefined) {
      commits.set(cidToText(cid), { cid, commit });
    }
  });
  const names = lenientReads(store);
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

/**
 * Returns whether all stored commits belong to branches. Then the account has no commit yet, and no head is missing.
 */
export const hasOnlyBranches = ({ commits, main, listed, damaged, refs }: RepairSearch): boolean =>
  commits.size > 0 && main.size + listed.size + damaged.size === 0 && !refs.has(MAIN);

/** The missing parts of a tree: nodes, with a fault if the node is stored but invalid, and records by path. */
export interface TreeGaps {
  readonly nodes: BoundedList<{ readonly cid: CID; readonly fault: string | undefined }>;
  readonly records: BoundedList<{ readonly path: string; readonly cid: CID }>;
  /** The CIDs of both. */
  readonly cids: CidSet;
}

/** Checks a tree as `verify` does, so that both agree on whether it is complete. */
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

/** The commit that becomes the head, and the missing parts of its tree. */
export interface ChosenHead extends FoundCommit {
  readonly gaps: TreeGaps;
}

const isWhole = ({ nodes }: TreeGaps): boolean => nodes.count === 0;

/**
 * Returns the head after the repair:
 * 1. The current head, if all nodes of its tree are present and no newer commit is listed.
 * 2. Otherwise the newest commit whose nodes are all present.
 * 3. Otherwise the current head if its commit is stored, or the newest commit.
 * Missing records do not count: going back to before such a record was written would lose all later records. Never
 * returns commits of branches, targets of other refs only, or unsigned commits of a signed history.
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
    // Of two commits with the same rev, the head ranks first, then the listed one.
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
