import { stat } from 'node:fs/promises';
import type { Repo, Signer } from '../../index.ts';
import { openCar } from '../../index.ts';
import { openRepo } from '../../node.ts';
import { closing } from './closing.ts';
import { CommandError } from './command-error.ts';
import { assertPath, nameOfInput, openInput } from './input.ts';
import { isStandardInput } from './pipe.ts';
import { assertNoDatabase, isDatabase, withDatabaseRepo } from './postgres-url.ts';
import { withProgress } from './progress.ts';
import type { Context } from './shell.ts';

/** Whether the argument `<repo>` may be a CAR: standard input, a file or a pipe. */
export const isCar = async (where: string): Promise<boolean> => {
  if (isDatabase(where)) {
    return false;
  }
  assertPath(where, 'the repository');
  if (isStandardInput(where)) {
    return true;
  }
  try {
    return !(await stat(where)).isDirectory();
  } catch {
    // The path is missing or cannot be read. Opening the repository reports that.
    return false;
  }
};

/**
 * @throws {CommandError} `InvalidRequest` if the argument may be a CAR, or is a database, and the verb needs a folder.
 */
export const assertRepo = async (where: string): Promise<void> => {
  assertNoDatabase(where);
  if (await isCar(where)) {
    const name = nameOfInput(where);
    throw new CommandError(
      'InvalidRequest',
      `Cannot open ${name}: a repository is a folder. If this is a CAR, import it first: pdsdb import <repo> ${where}`,
    );
  }
};

/** Opens a repository for reading and writing while `use` runs. */
export const withRepo = async <T>(
  context: Context,
  directory: string,
  use: (repo: Repo) => Promise<T>,
  signer?: Signer,
): Promise<T> => {
  context.signal.throwIfAborted();
  if (isDatabase(directory)) {
    return withDatabaseRepo(directory, use, signer);
  }
  await assertRepo(directory);
  const { waitMs } = context;
  return closing(await openRepo(directory, { waitMs, signer }), use);
};

/** Opens a repository for reading while `use` runs. */
export const withReader = async <T>(
  context: Context,
  directory: string,
  use: (repo: Repo) => Promise<T>,
): Promise<T> => {
  context.signal.throwIfAborted();
  if (isDatabase(directory)) {
    return withDatabaseRepo(directory, use);
  }
  await assertRepo(directory);
  return closing(await openReader(context, directory), use);
};

const openReader = ({ waitMs }: Context, directory: string): Promise<Repo> =>
  openRepo(directory, { readOnly: true, waitMs });

/** Opens a CAR while `use` runs. */
export const withCar = async <T>(context: Context, source: string, use: (repo: Repo) => Promise<T>): Promise<T> => {
  const repo = await withProgress(context, async (work) => openCar(await openInput(context, source), work));
  return closing(repo, use);
};

/** Opens a repository or a CAR for reading while `use` runs. */
export const withReadable = async <T>(context: Context, where: string, use: (repo: Repo) => Promise<T>): Promise<T> => {
  context.signal.throwIfAborted();
  if (isDatabase(where)) {
    return withDatabaseRepo(where, use);
  }
  return (await isCar(where)) ? withCar(context, where, use) : closing(await openReader(context, where), use);
};
