import type { Command } from 'commander';
import type { GarbageOptions } from '../../index.ts';
import { REPO, wholeNumber, withExamples } from '../terminal/arguments.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withRepo } from '../terminal/with-repo.ts';

/** `gc`: removes old history. */
export const addGc = (program: Command, context: Context): void => {
  const command = program
    .command('gc')
    .description('remove blocks that no ref and none of the newest commits needs, and free their space')
    .argument(...REPO)
    .option('--keep <n>', 'number of the newest commits to keep, with the head', wholeNumber(1), 1)
    .option('--blobs', 'also remove blobs that no kept record refers to and that are older than an hour')
    .option('--blob-age <ms>', 'with --blobs: smallest age of a removed blob, in milliseconds', wholeNumber(0))
    .option(
      '--commit-age <ms>',
      'smallest age of a removed commit, in milliseconds (default: an hour in PostgreSQL, 0 in a folder)',
      wholeNumber(0),
    )
    .option('--compact', 'also rewrite the database; this needs its size on the disk again')
    .action((directory: string, options: GarbageOptions) =>
      withRepo(context, directory, async (repo) => {
        const { blocks, commits, blobs, bytes } = await repo.gc(options);
        await printOne(context, { blocks, commits, blobs, bytes }, [
          ['blocks removed', blocks],
          ['commits removed', commits],
          ['blobs removed', blobs],
          ['bytes freed', bytes],
        ]);
      }),
    );
  withExamples(command, 'gc alice --keep 100', 'gc alice --blobs --blob-age 0', 'gc alice --compact');
};
