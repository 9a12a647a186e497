import type { Command } from 'commander';
import { createRepo } from '../../node.ts';
import { REPO, signerOption, withExamples } from '../terminal/arguments.ts';
import { readSigner } from '../key/key-file.ts';
import { assertPath } from '../terminal/input.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { closing } from '../terminal/closing.ts';

/** `init`: creates an empty repository. With a key, it also makes a first, empty, signed commit, as servers do. */
export const addInit = (program: Command, context: Context): void => {
  const command = program
    .command('init')
    .description('create an empty repository')
    .argument(...REPO)
    .requiredOption('--did <did>', 'DID of the account')
    .addOption(signerOption())
    .action(async (directory: string, options: { did: string; key?: string }) => {
      assertPath(directory, 'the repository');
      const signer = await readSigner(context, options.key);
      const repo = await createRepo(
        directory,
        signer === undefined ? { did: options.did } : { did: options.did, signer },
      );
      await closing(repo, async () => {
        const head = (await repo.head()) ?? (signer === undefined ? undefined : await repo.write([]));
        const result = { did: repo.did, head: head?.cid.toString() ?? null, rev: head?.rev ?? null };
        await printOne(context, result, [
          ['did', result.did],
          ['head', result.head ?? 'none yet'],
        ]);
      });
    });
  withExamples(command, 'init alice --did did:plc:ewvi7nxzyoun6zhxrhs64oiz --key alice.key');
};
