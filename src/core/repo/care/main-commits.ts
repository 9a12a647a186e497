/**
 * Finds the commits of the account's history. After the list of commits or the head's ref is lost, a repair must
 * separate them from commits of branches, refs and resets.
 */
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText } from '../../data/cid.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { Commit } from '../commit.ts';
import type { ReadParts } from '../open-parts.ts';
import { MAIN } from '../store-names.ts';
import { isBranchCommit } from '../write/branch-line.ts';
import { readResets } from './resets.ts';

interface Found {
  readonly cid: CID;
  readonly commit: Commit;
}

export interface Names {
  readonly refs: ReadonlyMap<string, CID>;
  readonly listed: ReadonlyMap<Tid, CID>;
}

const isNamed = ({ refs, listed }: Names, { cid, commit }: Found): boolean =>
  cidEquals(refs.get(MAIN), cid) || cidEquals(listed.get(commit.rev), cid);

/**
 * Returns commits that the list or the head's ref names, and commits that belong neither to a branch nor to a reset.
 */
export const mainCommits = async <T extends Found>(
  { store }: ReadParts,
  { refs, listed }: Names,
  commits: Iterable<T>,
): Promise<ReadonlyMap<string, T>> => {
  const wasReset = await readResets(store);
  const main = new Map<string, T>();
  for (const found of commits) {
    const { cid, commit } = found;
    if (isNamed({ refs, listed }, found) || !(isBranchCommit(commit) || wasReset(commit.rev))) {
      main.set(cidToText(cid), found);
    }
  }
  return main;
};

/**
 * Returns the commits that may become the head. Excludes targets of other refs, and unsigned commits if the history is
 * signed.
 */
export const headCandidates = <T extends Found>(names: Names, commits: Iterable<T>): readonly T[] => {
  const others = new Set([...names.refs].filter(([name]) => name !== MAIN).map(([, cid]) => cidToText(cid)));
  const all = [...commits].filter((found) => isNamed(names, found) || !others.has(cidToText(found.cid)));
  const signed = all.filter(({ commit }) => commit.sig !== undefined);
  return signed.length > 0 ? signed : all;
};
