import type { Command } from 'commander';
import { resolveAccount } from '../../sync.ts';
import { withExamples } from '../terminal/arguments.ts';
import { printOne, warn } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import type { NetworkFlags } from './network-options.ts';
import { ACCOUNT, addNetworkOptions, networkOf } from './network-options.ts';

/** `resolve`: looks an account up. */
export const addResolve = (program: Command, context: Context): void => {
  const command = addNetworkOptions(
    program.command('resolve').description('look up the DID, the host and the key of an account'),
  )
    .argument(...ACCOUNT)
    .action(async (identifier: string, flags: NetworkFlags) => {
      const { signal } = context;
      signal.throwIfAborted();
      const account = await resolveAccount(identifier, { ...networkOf(context, program, flags), signal });
      const { did, handle, handleVerified, pds, key, doc } = account;
      await printOne(context, { did, handle: handle ?? null, handleVerified, pds, key, doc }, [
        ['did', did],
        ['handle', handle ?? 'none'],
        ['host', pds],
        ['key', key],
      ]);
      if (handle !== undefined && !handleVerified) {
        await warn(context, `the handle does not lead back to the DID: do not rely on it; handle=${handle}`);
      }
    });
  withExamples(command, 'resolve alice.example.com', 'resolve did:plc:ewvi7nxzyoun6zhxrhs64oiz --json');
};
