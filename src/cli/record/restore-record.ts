import type { Command } from 'commander';
import { readSigner } from '../key/key-file.ts';
import { parseState } from '../repo/state.ts';
import { allowOtherKeyOption, REPO, signerOption, withExamples } from '../terminal/arguments.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withRepo } from '../terminal/with-repo.ts';
import { warnOfClock } from './clock-warning.ts';
import { parseWholeRecordPath } from './record-path.ts';

interface Flags {
  readonly key?: string;
  readonly message?: string;
  readonly allowOtherKey?: boolean;
}

/** `restore-record`: writes a record as it was in an older commit. */
export const addRestoreRecord = (program: Command, context: Context): void => {
  const command = program
    .command('restore-record')
    .description('write a record as it was in an older commit, with the same bytes')
    .argument(...REPO)
    .argument('<collection/rkey>', 'path or at:// URI of the record')
    .argument('<state>', 'the commit that has it: a rev, a CID or a ref')
    .addOption(signerOption())
    .addOption(allowOtherKeyOption())
    .option('-m, --message <text>', 'local message of the commit; pdsdb log shows it')
    .action(async (directory: string, path: string, state: string, { key, message, allowOtherKey }: Flags) => {
      const signer = await readSigner(context, key);
      await withRepo(
        context,
        directory,
        async (repo) => {
          const { collection, rkey } = parseWholeRecordPath(path, repo.did);
          const { uri, cid, commit } = await repo.restore(`${collection}/${rkey}`, parseState(state), {
            message,
            allowOtherKey,
          });
          const result = { uri, cid: cid.toString(), commit: { cid: commit.cid.toString(), rev: commit.rev } };
          await printOne(context, result, [
            ['uri', uri],
            ['cid', result.cid],
            ['commit', result.commit.cid],
            ['rev', result.commit.rev],
          ]);
          await warnOfClock(context, commit);
        },
        signer,
      );
    });
  withExamples(command, 'restore-record alice app.bsky.actor.profile/self 3l3qo2vutsw2b --key alice.key');
};
