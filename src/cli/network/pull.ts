import type { Command } from 'commander';
import { pull } from '../../sync.ts';
import { withExamples } from '../terminal/arguments.ts';
import type { Context } from '../terminal/shell.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { withRepo } from '../terminal/with-repo.ts';
import type { NetworkFlags } from './network-options.ts';
import { addNetworkOptions, networkOf, networkWords, REPO_HERE } from './network-options.ts';
import { printPull } from './print-pull.ts';
import { withPullProgress } from './pull-progress.ts';
import { resumable } from './resumable.ts';

interface Flags extends NetworkFlags {
  readonly blobs: boolean;
  readonly rollback?: boolean;
}

/** Returns the command that continues a pull. */
const again = (directory: string, flags: Flags): string =>
  [
    'pdsdb pull',
    shellWord(directory),
    ...(flags.blobs ? [] : ['--no-blobs']),
    ...(flags.rollback === true ? ['--rollback'] : []),
    ...networkWords(flags),
  ].join(' ');

/** `pull`: brings a copy to the head of its host. */
export const addPull = (program: Command, context: Context): void => {
  const command = addNetworkOptions(
    program.command('pull').description("bring a copy to its host's head, and fetch missing blobs"),
  )
    .argument(...REPO_HERE)
    .option('--no-blobs', 'fetch no blobs')
    .option('--rollback', 'also follow a host that has gone back to an older head; a ref keeps the old head')
    .action((directory: string, flags: Flags) =>
      resumable(
        context,
        () => again(directory, flags),
        () =>
          withRepo(context, directory, async (repo) => {
            const { blobs, rollback } = flags;
            const network = networkOf(context, program, flags);
            const result = await withPullProgress(context, (work) =>
              pull(repo, { ...network, ...work, blobs, rollback }),
            );
            await printPull(context, { did: repo.did, directory }, result);
          }),
      ),
    );
  withExamples(command, 'pull alice.example.com', 'pull alice.example.com --no-blobs --json');
};
