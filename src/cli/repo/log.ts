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
    .argument('[path]', 'only commits that changed this record: collection/rkey; with the CID of the record')
    .option('--at <state>', 'begin at this rev, CID or ref')
    .option('--limit <n>', 'largest number of commits', wholeNumber(1))
    .action((directory: string, path: string | undefined, { limit, at }: { limit?: number; at?: string }) =>
      withReadable(context, directory, async (repo) => {
        const list = printList(context);
        for await (const { cid, rev, signed, message, record } of repo.log({ path, limit, ref: at })) {
          const found = path === undefined ? {} : { record: record?.toString() ?? null };
          await list.add({ cid: cid.toString(), rev, signed, message, ...found }, [
            rev,
            cid.toString(),
            signed ? 'signed' : 'unsigned',
            ...(path === undefined ? [] : [record?.toString() ?? 'deleted']),
            message,
          ]);
        }
        await list.end();
      }),
    );
  withExamples(command, 'log alice --limit 10', 'log alice app.bsky.actor.profile/self', 'log alice.car');
};
