import type { Command } from 'commander';
import { migrate } from '../../sync.ts';
import type { MigrateProgress, MigrateStep } from '../../sync.ts';
import { readKeyFile } from '../key/key-file.ts';
import { withExamples } from '../terminal/arguments.ts';
import { CommandError } from '../terminal/command-error.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { withRepo } from '../terminal/with-repo.ts';
import type { NetworkFlags } from './network-options.ts';
import { addNetworkOptions, networkOf, REPO_HERE } from './network-options.ts';
import { ownerSession } from './owner-session.ts';
import { readSecret } from './password.ts';
import { resumable } from './resumable.ts';
import { sessionOption, sessionPath } from './session-file.ts';

interface Flags extends NetworkFlags {
  readonly to: string;
  readonly handle: string;
  readonly email: string;
  readonly inviteCode?: string;
  readonly session?: string;
  readonly copyOnly?: boolean;
  readonly signingKey?: string;
  readonly rotationKey?: string;
}

const STEPS: Readonly<Record<MigrateStep, string>> = {
  account: 'making the account at the new host',
  records: 'sending the records',
  blobs: 'sending the blobs',
  preferences: 'sending the preferences',
  sign: 'signing the change of the DID document',
  deactivate: 'deactivating the account at the old host',
  check: 'comparing the hosts with the copy',
  identity: 'changing the DID document',
  activate: 'activating the account at the new host',
};

/** Prints a line for each step. */
const reporter = (context: Context): ((progress: MigrateProgress) => void) => {
  let last: MigrateStep | undefined;
  return ({ step, done, total }) => {
    if (context.stderr.isTTY && done !== undefined) {
      context.stderr.status(`blobs: ${done} of ${total}`);
    } else if (step !== last) {
      context.stderr.text(`${STEPS[step]}\n`).catch(() => undefined);
    }
    last = step;
  };
};

const move = async (context: Context, program: Command, directory: string, flags: Flags): Promise<void> => {
  const { to: service, handle, email, inviteCode, copyOnly = false } = flags;
  const keyIn = (file: string | undefined) => (file === undefined ? undefined : readKeyFile(context, file));
  const [signingKey, rotationKey] = [await keyIn(flags.signingKey), await keyIn(flags.rotationKey)];
  if (copyOnly && (signingKey === undefined || rotationKey === undefined)) {
    throw new CommandError('InvalidRequest', 'Without the old host, give --signing-key and --rotation-key.');
  }
  await withRepo(context, directory, async (repo) => {
    const { signal } = context;
    const { pdsUrl: _, ...network } = networkOf(context, program, flags);
    const path = sessionPath(directory, flags.session);
    const from = copyOnly ? undefined : await ownerSession(context, repo, { ...network, signal }, path);
    const password = await readSecret(context, 'PDSDB_NEW_PASSWORD', `Password for the account at ${service}`);
    const result = await migrate(repo, {
      ...network,
      signal,
      from,
      to: { service, handle, email, password, inviteCode },
      signingKey: copyOnly ? signingKey : undefined,
      rotationKey,
      plcToken: () => readSecret(context, 'PDSDB_PLC_TOKEN', 'Token in the mail of the old host'),
      onStep: reporter(context),
    });
    await printOne(context, result, [
      ['did', result.did],
      ['host', result.pds],
      ['head', result.head],
      ['sent blobs', result.blobs],
    ]);
  });
};

/** `migrate`: moves an account to another host. */
export const addMigrate = (program: Command, context: Context): void => {
  const command = addNetworkOptions(program.command('migrate').description('move an account to another host'))
    .argument(...REPO_HERE)
    .requiredOption('--to <url>', 'address of the new host')
    .requiredOption('--handle <handle>', 'handle at the new host')
    .requiredOption('--email <address>', 'email address for the new host')
    .option('--invite-code <code>', 'invite code of the new host')
    .addOption(sessionOption())
    .option('--copy-only', 'the old host no longer responds: needs --signing-key and --rotation-key')
    .option('--signing-key <file>', "the account's signing key")
    .option('--rotation-key <file>', 'a rotation key of the account; without it, the old host signs')
    .action((directory: string, flags: Flags) => {
      const again = ['pdsdb migrate', shellWord(directory), '…', '(the same options)'].join(' ');
      return resumable(
        context,
        () => again,
        () => move(context, program, directory, flags),
      );
    });
  withExamples(
    command,
    'migrate alice --to https://new.example.com --handle alice.new.example.com --email a@example.com',
  );
};
