import type { Command } from 'commander';
import { saveBackup } from '../../node.ts';
import { REPO, withExamples } from '../terminal/arguments.ts';
import { assertPath } from '../terminal/input.ts';
import { printOne } from '../terminal/print.ts';
import { formatBytes, withProgress } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { withReader } from '../terminal/with-repo.ts';

interface Flags {
  readonly damaged?: boolean;
  readonly force?: boolean;
}

/** `backup`: checks the repository and copies it into a folder with a manifest. */
export const addBackup = (program: Command, context: Context): void => {
  const command = program
    .command('backup')
    .description('check everything, then copy the database and the blobs into a folder, with a manifest of hashes')
    .argument(...REPO)
    .argument('<target>', 'folder of the backup')
    .option('--damaged', 'also copy a damaged repository, without its damaged blobs')
    .option('--force', 'replace an existing backup')
    .action(async (directory: string, target: string, { damaged, force }: Flags) => {
      assertPath(target, 'the backup');
      await withReader(context, directory, async (repo) => {
        const { manifest, size } = await withProgress(context, (work) =>
          saveBackup(repo, target, { ...work, damaged, force }),
        );
        const { did, head, rev, counts, created } = manifest;
        await printOne(context, { did, head, rev, counts, files: manifest.files.size, bytes: size, created }, [
          ['did', did],
          ['head', head ?? 'none yet'],
          ['rev', rev ?? undefined],
          ['records', counts.records],
          ['blobs', counts.blobs],
          ['size', formatBytes(size)],
          ['folder', target],
        ]);
      });
    });
  withExamples(command, 'backup alice backups/alice --force');
};
