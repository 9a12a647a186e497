import type { Command } from 'commander';
import { RepoError } from '../../index.ts';
import { allowOtherKeyOption, REPO, signerOption, withExamples } from '../terminal/arguments.ts';
import { readSigner } from '../key/key-file.ts';
import { printOne } from '../terminal/print.ts';
import { parseWholeRecordPath } from './record-path.ts';
import type { Context } from '../terminal/shell.ts';
import { warnOfClock } from './clock-warning.ts';
import { withRepo } from '../terminal/with-repo.ts';

interface Flags {
  readonly key?: string;
  readonly message?: string;
  readonly allowOtherKey?: boolean;
}

/** `rm`: deletes a record in one commit. The history keeps it until `gc`. */
export const addRm = (program: Command, context: Context): void => {
  const command = program
    .command('rm')
    .description('delete a record; the history keeps it until gc')
    .argument(...REPO)
    .argument('<collection/rkey>', 'path or at:// URI of the record')
    .addOption(signerOption())
    .addOption(allowOtherKeyOption())
    .option('-m, --message <text>', 'local message of the commit; pdsdb log shows it')
    .action(async (directory: string, path: string, { key, message, allowOtherKey }: Flags) => {
      await withRepo(
        context,
        directory,
        async (repo) => {
          const { collection, rkey } = parseWholeRecordPath(path, repo.did);
          const commit = await repo.delete(collection, rkey, { message, allowOtherKey });
          if (commit === undefined) {
            throw new RepoError(
              'RecordNotFound',
              `the repository has no record at this path: pdsdb ls lists records; path=${path}`,
            );
          }
          const result = {
            uri: `at://${repo.did}/${collection}/${rkey}`,
            commit: { cid: commit.cid.toString(), rev: commit.rev },
          };
          await printOne(context, result, [
            ['uri', result.uri],
            ['commit', result.commit.cid],
            ['rev', result.commit.rev],
          ]);
          await warnOfClock(context, commit);
        },
        await readSigner(context, key),
      );
    });
  withExamples(command, 'rm alice app.bsky.feed.post/3l3qo2vutsw2b --key alice.key');
};
