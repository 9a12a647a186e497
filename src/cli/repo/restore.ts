import type { Command } from 'commander';
import { restoreBackup } from '../../node.ts';
import { withExamples } from '../terminal/arguments.ts';
import { assertPath } from '../terminal/input.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';

/** `restore`: creates a repository from a backup, and checks every hash. */
export const addRestore = (program: Command, context: Context): void => {
  const command = program
    .command('restore')
    .description('check a backup and create a repository from it; if a file is damaged, nothing changes')
    .argument('<backup>', 'folder of the backup')
    .argument('<repo>', 'folder of the repository; created if it is missing')
    .option('--force', 'replace an existing repository')
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
