import type { Command } from 'commander';
import { REPO_OR_CAR, forceOption, withExamples } from '../terminal/arguments.ts';
import { CommandError } from '../terminal/command-error.ts';
import { printOne } from '../terminal/print.ts';
import { formatBytes, withProgress } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { withReadable } from '../terminal/with-repo.ts';
import { writeFile } from '../terminal/write-file.ts';

interface Flags {
  readonly output?: string;
  readonly since?: string;
  readonly force?: boolean;
}

/** `export`: writes the repository as a CAR, to a file or to standard output. */
export const addExport = (program: Command, context: Context): void => {
  const command = program
    .command('export')
    .description('write the repository as a CAR')
    .argument(...REPO_OR_CAR)
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .option('--since <rev>', 'only the blocks after this rev, to update another copy')
    .addOption(forceOption())
    .action(async (directory: string, { output, since, force }: Flags) => {
      if (output === undefined && context.stdout.isTTY) {
        throw new CommandError(
          'InvalidRequest',
          'A CAR is not written to a terminal. Give -o <file>, or redirect the output to a file or a pipe.',
        );
      }
      await withReadable(context, directory, async (repo) => {
        const head = await repo.head();
        const size = await withProgress(context, async (work) => {
          const car = repo.exportCar({ ...work, since });
          if (output !== undefined) {
            return writeFile(output, car, { force, signal: context.signal });
          }
          for await (const chunk of car) {
            await context.stdout.bytes(chunk);
          }
          return undefined;
        });
        if (size !== undefined) {
          const result = { head: head?.cid.toString(), rev: head?.rev, bytes: size, file: output };
          await printOne(context, result, [
            ['head', result.head],
            ['rev', result.rev],
            ['size', formatBytes(size)],
            ['file', output],
          ]);
        }
      });
    });
  withExamples(
    command,
    'export alice -o alice.car',
    'export alice --since 3l3qo2vutsw2b -o alice-since-3l3qo2vutsw2b.car',
  );
};
