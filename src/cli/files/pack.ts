import type { Command } from 'commander';
import { packFolder } from '../../node.ts';
import { readSigner } from '../key/key-file.ts';
import { forceOption, signerOption, withExamples } from '../terminal/arguments.ts';
import { assertPath } from '../terminal/input.ts';
import { printOne } from '../terminal/print.ts';
import { formatBytes, withProgress } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { writeFile } from '../terminal/write-file.ts';

interface Flags {
  readonly key?: string;
  readonly did?: string;
  readonly allowUnsigned?: boolean;
  readonly force?: boolean;
}

/** `pack`: makes a CAR of a folder that `unpack` wrote. */
export const addPack = (program: Command, context: Context): void => {
  const command = program
    .command('pack')
    .description(
      'make a CAR of a folder that unpack or goat wrote; edited records need a key, which signs a new commit',
    )
    .argument('<folder>', 'folder with _commit.json and <collection>/<rkey>.json')
    .argument('<car>', 'file to write')
    .addOption(signerOption())
    .option('--did <did>', 'DID of the account, if the folder has no _commit.json')
    .option('--allow-unsigned', 'without a key, make an unsigned commit of edited records')
    .addOption(forceOption())
    .action(async (folder: string, car: string, { key, did, allowUnsigned, force }: Flags) => {
      assertPath(folder, 'the folder');
      assertPath(car, 'the CAR');
      const signer = await readSigner(context, key);
      const [packed, bytes] = await withProgress(context, async (work) => {
        const made = await packFolder(folder, { ...work, signer, did, allowUnsigned });
        return [made, await writeFile(car, made.car(), { force, signal: context.signal })] as const;
      });
      const { rev, records, signed, edited } = packed;
      const [head, data] = [packed.head.toString(), packed.data.toString()];
      await printOne(context, { did: packed.did, head, rev, data, records, signed, edited, bytes, file: car }, [
        ['did', packed.did],
        ['head', head],
        ['rev', rev],
        ['data', data],
        ['records', records],
        ['commit', edited ? `new, ${signed ? 'signed' : 'unsigned'}` : 'unchanged'],
        ['size', formatBytes(bytes)],
        ['file', car],
      ]);
    });
  withExamples(command, 'pack alice-files alice.car', 'pack alice-files edited.car --key alice.key');
};
