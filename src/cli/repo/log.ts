import type { Command } from 'commander';
import { REPO_OR_CAR, wholeNumber, withExamples } from '../terminal/arguments.ts';
import { printList } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withReadable } from '../terminal/with-repo.ts';

/** `log`: lists the local history. */
export const addLog = (program: Command, context: Context): void => {
  const command = program
    .command('log')
    .description('list the stored commits, newest first: rev, CID, signed or unsigned, message')
    .argument(...REPO_OR_CAR)
    .option('--limit <n>', 'largest number of commits', wholeNumber(1))
    .action((directory: string, { limit = Number.POSITIVE_INFINITY }: { limit?: number }) =>
      withReadable(context, directory, async (repo) => {
        const list = printList(context);
        let left = limit;
        for await (const { cid, rev, signed, message } of repo.log()) {
          await list.add({ cid: cid.toString(), rev, signed, message }, [
            rev,
            cid.toString(),
            signed ? 'signed' : 'unsigned',
            message,
          ]);
          left -= 1;
          if (left === 0) {
            break;
          }
        }
        await list.end();
      }),
    );
  withExamples(command, 'log alice --limit 10', 'log alice.car');
};
