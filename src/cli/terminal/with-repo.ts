import type { Repo, Signer } from '../../index.ts';
import { openRepo } from '../../node.ts';
import type { Context } from './shell.ts';

/** Uses a repository and lets go of it, whatever happens. What `use` threw is not covered up by what `close` throws. */
export const closing = async <T>(repo: Repo, use: (repo: Repo) => Promise<T>): Promise<T> => {
  let answer: T;
  try {
    answer = await use(repo);
  } catch (error) {
    await repo.close().catch(() => {
      // What went wrong first is what the person has to hear.
    });
    throw error;
  }
  await repo.close();
  return answer;
};

/** Opens a repository for as long as `use` runs. */
export const withRepo = async <T>(
  context: Context,
  directory: string,
  use: (repo: Repo) => Promise<T>,
  signer?: Signer,
): Promise<T> => {
  context.signal.throwIfAborted();
  return closing(await openRepo(directory, signer === undefined ? {} : { signer }), use);
};
