import type { Command } from 'commander';
import { parseCollection } from '../record/record-path.ts';
import { REPO_OR_CAR, forceOption, withExamples } from '../terminal/arguments.ts';
import { exportNdjson } from '../files/export-ndjson.ts';
import { CommandError } from '../terminal/command-error.ts';
import { printOne } from '../terminal/print.ts';
import { formatBytes, withProgress } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { commitAt, parseState } from './state.ts';
import { withReadable } from '../terminal/with-repo.ts';
import { writeFile } from '../terminal/write-file.ts';

interface Flags {
  readonly output?: string;
  readonly since?: string;
  readonly at?: string;
  readonly ndjson?: boolean;
  readonly collection?: string;
  readonly force?: boolean;
}

/** @throws {CommandError} `InvalidRequest` for options that do not go together. */
const assertFlags = ({ output, since, ndjson }: Flags, isTTY: boolean): void => {
  if (ndjson === true && since !== undefined) {
    throw new CommandError('InvalidRequest', `--ndjson writes whole records. Leave out --since; since=${since}`);
  }
  if (ndjson !== true && output === undefined && isTTY) {
    throw new CommandError(
      'InvalidRequest',
      'A CAR is not written to a terminal. Give -o <file>, or redirect the output to a file or a pipe.',
    );
  }
};

/** `export`: writes the repository as a CAR, to a file or to standard output. */
export const addExport = (program: Command, context: Context): void => {
  const command = program
    .command('export')
    .description('write the repository as a CAR, or its records as lines of JSON')
    .argument(...REPO_OR_CAR)
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .option('--since <rev>', 'only the blocks after this rev, to update another copy')
    .option('--at <state>', 'the commit to export: a rev, a CID or a ref (default: the head)')
    .option('--ndjson', 'write one line of JSON per record: {"uri", "cid", "value"}')
    .option(
      '--collection <nsid>',
      'only this collection; a CAR also has the nodes that prove that these are all; with --since, all that changed',
    )
    .addOption(forceOption())
    .action(async (directory: string, flags: Flags) => {
      const { output, since, at, force, collection } = flags;
      assertFlags(flags, context.stdout.isTTY);
      await withReadable(context, directory, async (repo) => {
        if (flags.ndjson === true) {
          await exportNdjson(context, repo, flags);
          return;
        }
        const state = at === undefined ? undefined : parseState(at);
        const only = collection === undefined ? undefined : parseCollection(collection, repo.did);
        const collections = only === undefined ? undefined : [only];
        const head = state === undefined ? await repo.head() : await commitAt(repo, state);
        const size = await withProgress(context, async (work) => {
          const car = repo.exportCar({ ...work, since, at: state, collections });
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
    'export alice --ndjson --collection app.bsky.feed.post',
    'export alice --since 3l3qo2vutsw2b -o alice-since-3l3qo2vutsw2b.car',
    'export alice --since 3l3qo2vutsw2b --collection app.bsky.feed.post -o new-posts.car',
  );
};
