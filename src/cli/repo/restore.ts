import type { Command } from 'commander';
import { restoreBackup } from '../../node.ts';
import { withExamples } from '../terminal/arguments.ts';
import { assertPath } from '../terminal/input.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';

/** `restore`: a repository out of a backup, every hash checked. */
export const addRestore = (program: Command, context: Context): void => {
  const command = program
    .command('restore')
    .description(
      'make a repository out of a backup: every file is checked first, and nothing has changed if one is damaged',
    )
    .argument('<backup>', 'folder of the backup')
    .argument('<repo>', 'folder of the repository; made if it is not there')
    .option('--force', 'replace the repository that is there')
    .action(async (backup: string, directory: string, { force }: { force?: boolean }) => {
      context.signal.throwIfAborted();
      assertPath(backup, 'the backup');
      assertPath(directory, 'the repository');
      const { did, head, rev, counts, created } = await restoreBackup(backup, directory, { force });
      await printOne(context, { did, head, rev, counts, created }, [
        ['did', did],
        ['head', head ?? 'none yet'],
        ['rev', rev ?? undefined],
        ['records', counts.records],
        ['blobs', counts.blobs],
        ['made', created],
      ]);
    });
  withExamples(command, 'restore backups/alice alice');
};
