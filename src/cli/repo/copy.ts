import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { BLOBS_ROOT, MAIN_NAME } from '../../core/storage/layout.ts';
import type { CopyResult, Repo } from '../../index.ts';
import { copyRepo, isRepoError, RepoError } from '../../index.ts';
import { openOrCreateRepo } from '../../node.ts';
import { withExamples } from '../terminal/arguments.ts';
import { CommandError } from '../terminal/command-error.ts';
import { ifThere, naming } from '../terminal/file-error.ts';
import { assertPath } from '../terminal/input.ts';
import { makeFolder } from '../terminal/make-folder.ts';
import { isDatabase, withDatabase, withDatabaseRepo } from '../terminal/postgres-url.ts';
import { printOne } from '../terminal/print.ts';
import { formatBytes, withProgress } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { closing } from '../terminal/closing.ts';
import { assertRepo, withReader } from '../terminal/with-repo.ts';
import { removeRepo } from './remove-repo.ts';

interface Flags {
  readonly blobs: boolean;
  readonly migrate?: boolean;
}

type Use = (repo: Repo) => Promise<CopyResult>;

/** A copy that was killed may have left an empty repository, or blobs. */
const isOurs = (name: string): boolean => name.startsWith('pds.') || name === BLOBS_ROOT;

/** Runs the copy. If it fails and has stored no blob yet, removes the repository before its lock is released. */
const fillNew = async (directory: string, repo: Repo, use: Use): Promise<CopyResult> => {
  try {
    return await use(repo);
  } catch (error) {
    await removeEmpty(directory, repo).catch(() => {
      // The first error is reported.
    });
    throw error;
  }
};

const removeEmpty = async (directory: string, repo: Repo): Promise<void> => {
  // Stored blobs are not copied again by the next run.
  for await (const _ of repo.blobs()) {
    return;
  }
  if ((await repo.head()) === undefined) {
    await removeRepo(directory);
  }
};

const toFolder = async ({ waitMs }: Context, directory: string, did: string, use: Use): Promise<CopyResult> => {
  assertPath(directory, 'the target');
  await assertRepo(directory);
  const names = (await ifThere(naming('read', directory, readdir(directory)))) ?? [];
  if (!names.includes(MAIN_NAME) && !names.every(isOurs)) {
    throw new RepoError(
      'RepoExists',
      `Cannot copy into ${directory}: the folder has other files. Choose an empty or new folder.`,
    );
  }
  // Not only created: a copy that was killed may have left an empty file or an empty repository.
  const open = (): Promise<Repo> => openOrCreateRepo(directory, { did, waitMs });
  if (names.length > 0) {
    return closing(await open(), use);
  }
  const takeBack = await naming('make', directory, makeFolder(directory));
  try {
    return await closing(await open(), (repo) => fillNew(directory, repo, use));
  } catch (error) {
    // A folder that is not empty stays.
    await takeBack();
    throw error;
  }
};

/** The repository of a failed copy stays, because another process may have opened it. The next copy fills it. */
const toDatabase = (where: string, ofSource: string, migrate: boolean, use: Use): Promise<CopyResult> =>
  withDatabase(where, async (accounts, did = ofSource) => {
    if (migrate) {
      await accounts.migrate();
    }
    try {
      return await use(await accounts.openOrCreateRepo({ did }));
    } catch (error) {
      throw isRepoError(error, 'UnknownVersion') && !migrate
        ? new RepoError('UnknownVersion', `${error.message} (give --migrate)`, { cause: error })
        : error;
    }
  });

/** `copy`: copies a whole repository from one store to another. */
export const addCopy = (program: Command, context: Context): void => {
  const command = program
    .command('copy')
    .description('copy a whole repository into a new one, with its history, refs, local work and blobs')
    .argument('<from>', 'folder of the repository, or its PostgreSQL database: postgres://host/database#did:plc:…')
    .argument('<to>', 'empty or new folder, or a PostgreSQL database (default account: that of the source)')
    .option('--no-blobs', 'copy no blobs')
    .option('--migrate', 'make the tables of the PostgreSQL database first, or bring them to the version of pdsdb')
    .action(async (from: string, to: string, { blobs, migrate = false }: Flags) => {
      if (from !== '' && !isDatabase(from) && resolve(from) === resolve(to)) {
        throw new CommandError('InvalidRequest', `Cannot copy ${from} into itself. Choose an empty or new folder.`);
      }
      const copyInto = (source: Repo): Promise<CopyResult> => {
        const use: Use = (target) => withProgress(context, (work) => copyRepo(source, target, { ...work, blobs }));
        return isDatabase(to) ? toDatabase(to, source.did, migrate, use) : toFolder(context, to, source.did, use);
      };
      const copy = async (source: Repo) => ({ did: source.did, ...(await copyInto(source)) });
      const { head, rev, ...counts } = isDatabase(from)
        ? await withDatabaseRepo(from, copy)
        : await withReader(context, from, copy);
      const result = { ...counts, head: head?.toString() ?? null, rev: rev ?? null };
      await printOne(context, result, [
        ['did', result.did],
        ['head', result.head ?? 'none yet'],
        ['rev', rev],
        ['records', result.records],
        ['commits', result.commits],
        ['refs', result.refs],
        ['blocks', result.blocks],
        ['blobs', result.blobs],
        ['size', formatBytes(result.bytes)],
      ]);
    });
  withExamples(
    command,
    'copy alice postgres://service@localhost/accounts --migrate',
    'copy postgres://service@localhost/accounts#did:plc:ewvi7nxzyoun6zhxrhs64oiz alice',
    'copy alice alice-again --no-blobs',
  );
};
