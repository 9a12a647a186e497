import type { Command } from 'commander';
import { allowOtherKeyOption, REPO, signerOption, withExamples } from '../terminal/arguments.ts';
import { readSigner } from '../key/key-file.ts';
import { printOne, warn } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withRepo } from '../terminal/with-repo.ts';

interface Flags {
  readonly key?: string;
  readonly allowOtherKey?: boolean;
}

/** `recommit`: signs the records of the head again, at the present time. */
export const addRecommit = (program: Command, context: Context): void => {
  const command = program
    .command('recommit')
    .description('sign the same records at the present time, if a fast clock has made a rev in the future')
    .argument(...REPO)
    .addOption(signerOption())
    .addOption(allowOtherKeyOption())
    .action(async (directory: string, { key, allowOtherKey }: Flags) => {
      const signer = await readSigner(context, key);
      await withRepo(
        context,
        directory,
        async (repo) => {
          const { cid, rev, ref, ignoredUntil, warning } = await repo.recommit({ rev: 'now', allowOtherKey });
          await printOne(context, { cid: cid.toString(), rev, ref, ignoredUntil }, [
            ['head', cid.toString()],
            ['rev', rev],
            ['old head', ref],
          ]);
          if (warning !== undefined) {
            await warn(context, warning);
          }
        },
        signer,
      );
    });
  withExamples(command, 'recommit alice --key alice.key');
};
