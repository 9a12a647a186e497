import { readdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { BLOBS_ROOT, MAIN_NAME } from '../../core/storage/layout.ts';
import { isRepoError, RepoError } from '../../index.ts';
import { openOrCreateRepo, openRepo } from '../../node.ts';
import type { Account, CloneResult } from '../../sync.ts';
import { clone } from '../../sync.ts';
import { removeRepo } from '../repo/remove-repo.ts';
import { withExamples } from '../terminal/arguments.ts';
import { CommandError } from '../terminal/command-error.ts';
import { ifThere, naming } from '../terminal/file-error.ts';
import { makeFolder } from '../terminal/make-folder.ts';
import { assertNoDatabase } from '../terminal/postgres-url.ts';
import type { Context } from '../terminal/shell.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { closing } from '../terminal/closing.ts';
import { assertRepo } from '../terminal/with-repo.ts';
import type { NetworkFlags } from './network-options.ts';
import { ACCOUNT, addNetworkOptions, networkOf, networkWords } from './network-options.ts';
import { printPull } from './print-pull.ts';
import { withPullProgress } from './pull-progress.ts';
import { resumable } from './resumable.ts';

interface Flags extends NetworkFlags {
  readonly blobs: boolean;
}

/** Returns the folder for an account: its handle, or its DID with characters that every file system accepts. */
export const folderOf = ({
  did,
  handle,
  handleVerified,
}: Pick<Account, 'did' | 'handle' | 'handleVerified'>): string =>
  handle !== undefined && handleVerified ? handle : did.replaceAll(/[^\w.-]/g, '-');

/** Whether a file belongs to a repository, which a killed clone may have begun. */
const isOurs = (name: string): boolean => name.startsWith('pds.') || name === BLOBS_ROOT;

/** Where a clone puts the copy. */
class Target {
  directory: string | undefined;
  #takeBack: (() => Promise<void>) | undefined;

  constructor(directory: string | undefined) {
    this.directory = directory;
  }

  /** Opens the repository, or creates it in a missing or empty folder. */
  async open(account: Account, waitMs: number | undefined): Promise<Awaited<ReturnType<typeof openOrCreateRepo>>> {
    this.directory ??= folderOf(account);
    const { directory } = this;
    await assertRepo(directory);
    const names = (await ifThere(naming('read', directory, readdir(directory)))) ?? [];
    if (!names.includes(MAIN_NAME) && !names.every(isOurs)) {
      throw new RepoError(
        'RepoExists',
        `Cannot clone into ${directory}: the folder has other files. Choose an empty or new folder.`,
      );
    }
    const takeBack = await naming('make', directory, makeFolder(directory));
    if (names.length === 0) {
      this.#takeBack = takeBack;
    }
    try {
      return await openOrCreateRepo(directory, { did: account.did, waitMs });
    } catch (error) {
      throw isRepoError(error, 'WrongDid')
        ? new RepoError(
            'WrongDid',
            `Cannot clone ${account.did} into ${directory}: the folder has the repository of another account. Choose another folder.`,
            { cause: error },
          )
        : error;
    }
  }

  /** Removes a repository that this run created and that has no commit, and its folder. */
  async takeBackEmpty(): Promise<void> {
    const { directory } = this;
    if (this.#takeBack === undefined || directory === undefined) {
      return;
    }
    const repo = await openRepo(directory).catch(() => undefined);
    if (repo !== undefined) {
      await closing(repo, async () => {
        if ((await repo.head()) === undefined) {
          await removeRepo(directory);
        }
      });
    }
    // A folder that is not empty stays.
    await this.#takeBack();
  }
}

const cloneInto = async (
  context: Context,
  identifier: string,
  target: Target,
  options: Parameters<typeof clone>[2],
): Promise<CloneResult> => {
  try {
    const cloned = await withPullProgress(context, (work) =>
      clone(identifier, (account) => target.open(account, context.waitMs), { ...options, ...work }),
    );
    if (cloned.pulled.status === 'inactive' && cloned.pulled.to === undefined) {
      await cloned.repo.close();
      const { reason = 'RepoNotFound' } = cloned.pulled;
      throw new RepoError(
        reason,
        `the account is inactive at its host, so it cannot be cloned; did=${cloned.account.did}`,
      );
    }
    return cloned;
  } catch (error) {
    await target.takeBackEmpty().catch(() => {
      // The first error is reported.
    });
    throw error;
  }
};

/** `clone`: makes a copy of an account, or continues one. */
export const addClone = (program: Command, context: Context): void => {
  const command = addNetworkOptions(
    program.command('clone').description('make a copy of an account from its host; continues an interrupted clone'),
  )
    .argument(...ACCOUNT)
    .argument('[repo]', 'folder of the repository (default: the handle)')
    .option('--no-blobs', 'fetch no blobs')
    .action((identifier: string, given: string | undefined, flags: Flags) => {
      if (given === '') {
        throw new CommandError('InvalidRequest', 'The path of the repository is empty. Give a folder.');
      }
      assertNoDatabase(given ?? '');
      const target = new Target(given);
      const again = (): string =>
        [
          'pdsdb clone',
          shellWord(identifier),
          ...(target.directory === undefined ? [] : [shellWord(target.directory)]),
          ...(flags.blobs ? [] : ['--no-blobs']),
          ...networkWords(flags),
        ].join(' ');
      return resumable(context, again, async () => {
        const options = { ...networkOf(context, program, flags), blobs: flags.blobs };
        const { repo, account, pulled } = await cloneInto(context, identifier, target, options);
        await closing(repo, () => printPull(context, { did: account.did, directory: target.directory! }, pulled));
      });
    });
  withExamples(command, 'clone alice.example.com', 'clone did:plc:ewvi7nxzyoun6zhxrhs64oiz backups/alice --no-blobs');
};
