import type { Command } from 'commander';
import { REPO, withExamples } from '../terminal/arguments.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { parseState } from './state.ts';
import { withRepo } from '../terminal/with-repo.ts';

/** `reset`: makes an older commit the head. */
export const addReset = (program: Command, context: Context): void => {
  const command = program
    .command('reset')
    .description('make an older commit of the history the head; a ref keeps the old head')
    .argument(...REPO)
    .argument('<target>', 'a rev, a CID or a ref of a commit that log lists')
    .action((directory: string, target: string) =>
      withRepo(context, directory, async (repo) => {
        const { cid, rev, ref } = await repo.reset(parseState(target));
        await printOne(context, { cid: cid.toString(), rev, ref }, [
          ['head', cid.toString()],
          ['rev', rev],
          ['old head', ref],
        ]);
      }),
    );
  withExamples(command, 'reset alice 3l3qo2vutsw2b');
};
