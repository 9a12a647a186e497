import type { Command } from 'commander';
import { withExamples } from './terminal/arguments.ts';
import { printOne } from './terminal/print.ts';
import type { Context } from './terminal/shell.ts';

/** `version`: prints the same as `--version`. */
export const addVersion =
  (version: string) =>
  (program: Command, context: Context): void => {
    const command = program
      .command('version')
      .description('show the version of the command')
      .action(async () => {
        if (context.json) {
          await printOne(context, { version }, []);
        } else {
          await context.stdout.text(`${version}\n`);
        }
      });
    withExamples(command, 'version');
  };
