import { RepoError, isRepoError } from '../errors.ts';
import { assertDid } from '../syntax/identifiers.ts';
import type { Repo } from './repo.ts';

/**
 * Opens the repository of an account, or creates it if it does not exist. If another process creates it at the same
 * time, opens that one.
 * @throws {RepoError} `InvalidDid`; `WrongDid` when the repository is of another account; the errors of `open` and
 *   `create`.
 */
export const openOrCreate = async (
  did: string,
  open: () => Promise<Repo>,
  create: () => Promise<Repo>,
): Promise<Repo> => {
  assertDid(did);
  const openOwn = async (): Promise<Repo> => {
    const repo = await open();
    if (repo.did === did) {
      return repo;
    }
    await repo.close();
    throw new RepoError(
      'WrongDid',
      `the repository is of another account: pass its DID, or another place; expected=${did} found=${repo.did}`,
    );
  };
  try {
    return await openOwn();
  } catch (error) {
    if (!isRepoError(error, 'RepoNotFound')) {
      throw error;
    }
  }
  try {
    return await create();
  } catch (error) {
    if (!isRepoError(error, 'RepoExists')) {
      throw error;
    }
    return openOwn();
  }
};
