/** Gives operations on two repositories access to the stores of each. */
import { RepoError } from '../errors.ts';
import type { RepoParts } from './open-parts.ts';
import type { Repo } from './repo.ts';

export interface RepoAccess {
  /** @throws {RepoError} `Closed` after `close`. */
  parts(): RepoParts;
  /** Of a repository for reading: the number of changes by other owners that were found so far. */
  readonly readOnly?: { readonly changes: number } | undefined;
}

const accesses = /* @__PURE__ */ new WeakMap<Repo, RepoAccess>();

/** Registers a repository over stores. A client of a worker is not registered. */
export const giveAccess = (repo: Repo, access: RepoAccess): void => void accesses.set(repo, access);

/** Registers `reader`, which reads `repo`, if `repo` is registered. */
export const giveReadAccess = (reader: Repo, repo: Repo, readOnly: { readonly changes: number }): void => {
  const access = accesses.get(repo);
  if (access !== undefined) {
    giveAccess(reader, { parts: access.parts, readOnly });
  }
};

/** @throws {RepoError} `Unsupported` if the stores of the repository are behind a worker. */
export const accessOf = (repo: Repo): RepoAccess => {
  const access = accesses.get(repo);
  if (access === undefined) {
    throw new RepoError(
      'Unsupported',
      `the stores of the repository are behind a worker and cannot be copied: use exportFolder, or export a CAR; did=${repo.did}`,
    );
  }
  return access;
};
