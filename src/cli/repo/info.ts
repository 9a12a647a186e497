import type { Command } from 'commander';
import { REPO_OR_CAR, withExamples } from '../terminal/arguments.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withReadable } from '../terminal/with-repo.ts';

/** `info`: prints the account, the head, sizes and counts. */
export const addInfo = (program: Command, context: Context): void => {
  const command = program
    .command('info')
    .description('show the account, the head, sizes and counts')
    .argument(...REPO_OR_CAR)
    .action((directory: string) =>
      withReadable(context, directory, async (repo) => {
        const { did, head, rev, data, signed, commits, records, blocks, blobs, size, free, others, collections } =
          await repo.info();
        const json = {
          did,
          head: head?.toString() ?? null,
          rev: rev ?? null,
          data: data?.toString() ?? null,
          signed,
          commits,
          records,
          blocks,
          blobs,
          size: size ?? null,
          free: free ?? null,
          others: others ?? [],
          collections: Object.fromEntries(collections.map(({ collection, count }) => [collection, count])),
        };
        await printOne(context, json, [
          ['did', did],
          ['head', json.head ?? 'none yet'],
          ['rev', rev],
          ['data', data?.toString()],
          ['signed', signed ? 'yes' : 'no'],
          ['commits', commits],
          ['records', records],
          ['blocks', blocks],
          ['blobs', blobs],
          ['bytes', size],
          ['free bytes', free],
          ...(others ?? []).map((name) => ['not of the repository', name] as const),
          ...collections.map(({ collection, count }) => [collection, count] as const),
        ]);
      }),
    );
  withExamples(command, 'info alice', 'info alice --json', 'info alice.car');
};
