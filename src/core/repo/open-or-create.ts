import { RepoError, isRepoError } from '../errors.ts';
import { assertDid } from '../syntax/identifiers.ts';
import type { Repo } from './repo.ts';

/**
 * Opens the repository of an account, and makes it where there is none. When somebody else makes it at the same time,
 * theirs is opened.
 * @throws {RepoError} `InvalidDid`; `WrongDid` when the repository is of another account; as `open` and `create` do.
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
    throw new RepoError('WrongDid', `the repository is of another account; expected=${did} found=${repo.did}`);
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
