import type { Command } from 'commander';
import { Option } from 'commander';
import type { Curve } from '../../index.ts';
import { CURVES, generateKey, parseDidKey } from '../../index.ts';
import { forceOption, withExamples } from '../terminal/arguments.ts';
import { KEY_FILE_MODE, formatKey } from './key-file.ts';
import { inspectKey } from './public-key.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { writeFile } from '../terminal/write-file.ts';

interface GenerateFlags {
  readonly curve: Curve;
  readonly output?: string;
  readonly force?: boolean;
}

const generate = async (context: Context, { curve, output, force }: GenerateFlags): Promise<void> => {
  const key = generateKey(curve);
  const did = key.did();
  const line = formatKey(key);
  if (output === undefined) {
    await printOne(context, { did, curve, key: line }, [
      ['did', did],
      ['key', line],
    ]);
    return;
  }
  await writeFile(output, [Buffer.from(`${line}\n`)], { force, mode: KEY_FILE_MODE, signal: context.signal });
  await printOne(context, { did, curve, file: output }, [
    ['did', did],
    ['file', output],
  ]);
};

/** `key`: keys that sign commits. */
export const addKeyVerbs = (program: Command, context: Context): void => {
  const keys = program.command('key').description('keys that sign commits');

  const make = keys
    .command('generate')
    .description('make a key; only its owner can read the file (mode 0600)')
    .addOption(new Option('--curve <curve>', 'curve of the key').choices(CURVES).default('secp256k1'))
    .option('-o, --output <file>', 'file to write; without it, the secret is printed')
    .addOption(forceOption())
    .action((flags: GenerateFlags) => generate(context, flags));
  withExamples(make, 'key generate -o alice.key');

  const inspect = keys
    .command('inspect')
    .description('show the public key of a key')
    .argument(
      '<key>',
      'a did:key, a publicKeyMultibase or a DID document; a file with one of these or with a secret key; - for standard input',
    )
    .action(async (text: string) => {
      const { did, secret } = await inspectKey(context, text);
      const { curve } = parseDidKey(did);
      await printOne(context, { did, curve, secret }, [
        ['did', did],
        ['curve', curve],
        ['secret', secret ? 'yes' : 'no'],
      ]);
    });
  withExamples(
    inspect,
    'key inspect alice.key',
    'key inspect did:key:zQ3shunBKsXixLxKtC5qeSG9E4J5RkGN57im31pcTzbNQnm5w',
  );
};
