import { stat } from 'node:fs/promises';
import type { Repo, Signer } from '../../index.ts';
import { openCar } from '../../index.ts';
import { openRepo } from '../../node.ts';
import { CommandError } from './command-error.ts';
import { assertPath, nameOfInput, openInput } from './input.ts';
import { isStandardInput } from './pipe.ts';
import { withProgress } from './progress.ts';
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

/** Whether an argument that names a repository names what may be a CAR: standard input, a file or a pipe. */
export const isCar = async (where: string): Promise<boolean> => {
  assertPath(where, 'the repository');
  if (isStandardInput(where)) {
    return true;
  }
  try {
    return !(await stat(where)).isDirectory();
  } catch {
    // Nothing is there, or it may not be looked at: opening the repository says so.
    return false;
  }
};

/** @throws {CommandError} `InvalidRequest` where a CAR is given to a verb that works on a repository. */
export const assertRepo = async (where: string): Promise<void> => {
  if (await isCar(where)) {
    const name = nameOfInput(where);
    throw new CommandError(
      'InvalidRequest',
      `${name} is not a repository, which is a folder. If it is a CAR, make a repository of it first: pdsdb import <repo> ${where}`,
    );
  }
};

/** Opens a repository, to read and to write, for as long as `use` runs. */
export const withRepo = async <T>(
  context: Context,
  directory: string,
  use: (repo: Repo) => Promise<T>,
  signer?: Signer,
): Promise<T> => {
  context.signal.throwIfAborted();
  await assertRepo(directory);
  const { waitMs } = context;
  return closing(await openRepo(directory, { waitMs, signer }), use);
};

/** Opens a repository to read it alone, for as long as `use` runs. */
export const withReader = async <T>(
  context: Context,
  directory: string,
  use: (repo: Repo) => Promise<T>,
): Promise<T> => {
  context.signal.throwIfAborted();
  await assertRepo(directory);
  return closing(await openReader(context, directory), use);
};

const openReader = ({ waitMs }: Context, directory: string): Promise<Repo> =>
  openRepo(directory, { readOnly: true, waitMs });

/** Opens a repository, or a CAR in its place, for as long as `use` runs, which only reads. */
export const withReadable = async <T>(context: Context, where: string, use: (repo: Repo) => Promise<T>): Promise<T> => {
  context.signal.throwIfAborted();
  if (!(await isCar(where))) {
    return closing(await openReader(context, where), use);
  }
  const repo = await withProgress(context, async (work) => openCar(await openInput(context, where), work));
  return closing(repo, use);
};
