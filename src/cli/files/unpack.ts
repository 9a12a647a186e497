import type { Command } from 'commander';
import { unpackRepo } from '../../node.ts';
import { REPO_OR_CAR, withExamples } from '../terminal/arguments.ts';
import { assertPath } from '../terminal/input.ts';
import { printOne } from '../terminal/print.ts';
import { withProgress } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { withReadable } from '../terminal/with-repo.ts';

interface Flags {
  readonly at?: string;
  readonly blobs?: boolean;
}

/** `unpack`: writes the records as JSON files into a new folder. */
export const addUnpack = (program: Command, context: Context): void => {
  const command = program
    .command('unpack')
    .description('write the records as JSON files into a new folder; pack makes a CAR of it')
    .argument(...REPO_OR_CAR)
    .argument('<folder>', 'new or empty folder')
    .option('--at <state>', 'the commit to unpack: a rev, a CID or a ref (default: the head)')
    .option('--blobs', 'also write the stored blobs, as _blobs/<cid>')
    .action(async (where: string, folder: string, { at, blobs }: Flags) => {
      assertPath(folder, 'the folder');
      await withReadable(context, where, async (repo) => {
        const unpacked = await withProgress(context, (work) => unpackRepo(repo, folder, { ...work, at, blobs }));
        const result = { ...unpacked, head: unpacked.head.toString(), folder };
        await printOne(context, result, [
          ['did', result.did],
          ['head', result.head],
          ['rev', result.rev],
          ['records', result.records],
          ['not as JSON', result.opaque > 0 ? result.opaque : undefined],
          ['blobs', blobs === true ? result.blobs : undefined],
          ['folder', folder],
        ]);
      });
    });
  withExamples(
    command,
    'unpack alice alice-files',
    'unpack alice.car alice-files',
    'unpack alice before --at 3l3qo2vutsw2b',
  );
};
