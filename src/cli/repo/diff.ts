import type { Command } from 'commander';
import { REPO_OR_CAR, withExamples } from '../terminal/arguments.ts';
import { printList } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { parseState } from './state.ts';
import { withReadable } from '../terminal/with-repo.ts';

/** `diff`: lists the changes between two states. */
export const addDiff = (program: Command, context: Context): void => {
  const command = program
    .command('diff')
    .description('list the changes between two states: action, path, CID before, CID after')
    .argument(...REPO_OR_CAR)
    .argument('<from>', 'a rev, a CID or a ref, or - for the empty repository')
    .argument('[to]', 'a rev, a CID or a ref (default: the head)')
    .action((directory: string, from: string, to: string | undefined) =>
      withReadable(context, directory, async (repo) => {
        const list = printList(context);
        const changes = repo.diff(
          from === '-' ? undefined : parseState(from),
          to === undefined ? undefined : parseState(to),
        );
        for await (const { action, collection, rkey, cid, prev } of changes) {
          const path = `${collection}/${rkey}`;
          await list.add({ action, path, prev: prev?.toString(), cid: cid?.toString() }, [
            action,
            path,
            prev?.toString(),
            cid?.toString(),
          ]);
        }
        await list.end();
      }),
    );
  withExamples(command, 'diff alice 3l3qo2vutsw2b', 'diff alice before-cleanup main');
};
