import type { Command } from 'commander';
import { REPO, accountKeyOption, withExamples } from '../terminal/arguments.ts';
import { printList, printOne } from '../terminal/print.ts';
import { warnOfMore } from '../terminal/warn-of-more.ts';
import { withProgress } from '../terminal/progress.ts';
import { Reported } from '../terminal/reported.ts';
import type { Context } from '../terminal/shell.ts';
import { withRepo } from '../terminal/with-repo.ts';

/** `verify`: checks everything that is here. Exit code 1 when anything is wrong. */
export const addVerify = (program: Command, context: Context): void => {
  const command = program
    .command('verify')
    .description(
      'check everything: database, hashes, tree, records, blobs and signature; exit code 1 when anything is wrong',
    )
    .argument(...REPO)
    .addOption(accountKeyOption())
    .action((directory: string, { key }: { key?: string }) =>
      withRepo(context, directory, async (repo) => {
        const report = await withProgress(context, (work) => repo.verify({ ...work, key }));
        const faults = report.faults.map(({ code, message, path, cid }) => ({
          code,
          message,
          path,
          cid: cid?.toString(),
        }));
        if (report.ok || context.json) {
          const { ok, faultCount, signature, records, blocks, blobs } = report;
          await printOne(context, { ok, faultCount, faults, signature, records, blocks, blobs }, [
            ['ok', 'yes'],
            ['signature', signature],
            ['records', records],
            ['blocks', blocks],
            ['blobs', blobs],
          ]);
        } else {
          const list = printList(context);
          for (const fault of faults) {
            await list.add(fault, [fault.code, fault.path, fault.cid, fault.message]);
          }
          await list.end();
          await warnOfMore(context, report.faultCount - faults.length);
        }
        if (!report.ok) {
          throw new Reported(`${report.faultCount} ${report.faultCount === 1 ? 'fault' : 'faults'} found`);
        }
      }),
    );
  withExamples(command, 'verify alice', 'verify alice --key did:key:zQ3shunBKsXixLxKtC5qeSG9E4J5RkGN57im31pcTzbNQnm5w');
};
