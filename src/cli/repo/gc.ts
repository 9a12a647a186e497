import type { Command } from 'commander';
import { REPO, wholeNumber, withExamples } from '../terminal/arguments.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withRepo } from '../terminal/with-repo.ts';

/** `gc`: gives up history. */
export const addGc = (program: Command, context: Context): void => {
  const command = program
    .command('gc')
    .description('remove what no ref and none of the newest commits reaches, and give back the room')
    .argument(...REPO)
    .option('--keep <n>', 'how many of the newest commits to keep, the head included', wholeNumber(1), 1)
    .option('--blobs', 'also remove blobs that no kept record mentions and that were stored more than an hour ago')
    .option('--blob-age <ms>', 'with --blobs: the age in milliseconds from which a blob is removed', wholeNumber(0))
    .option('--compact', 'also write the database anew, which takes its size on the disk a second time')
    .action((directory: string, options: { keep: number; blobs?: boolean; blobAge?: number; compact?: boolean }) =>
      withRepo(context, directory, async (repo) => {
        const { blocks, commits, blobs, bytes } = await repo.gc(options);
        await printOne(context, { blocks, commits, blobs, bytes }, [
          ['blocks removed', blocks],
          ['commits removed', commits],
          ['blobs removed', blobs],
          ['bytes given back', bytes],
        ]);
      }),
    );
  withExamples(command, 'gc alice --keep 100', 'gc alice --blobs --blob-age 0', 'gc alice --compact');
};
