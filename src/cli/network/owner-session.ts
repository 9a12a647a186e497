/** The session of an account's owner at its host. */
import type { Repo } from '../../index.ts';
import type { Session } from '../../sync.ts';
import { passwordSession, resolveAccount } from '../../sync.ts';
import type { Context } from '../terminal/shell.ts';
import type { networkOf } from './network-options.ts';
import { readPassword } from './password.ts';
import { openSession } from './session-file.ts';

type Network = ReturnType<typeof networkOf> & { readonly signal: AbortSignal };

/** Returns the session of `login`, or one by a password that is not stored. */
export const ownerSession = async (
  context: Context,
  { did }: Repo,
  network: Network,
  path: string,
): Promise<Session> => {
  const stored = await openSession(path, network, context.env['PDSDB_PASSWORD'] ?? '');
  if (stored !== undefined) {
    return stored;
  }
  const { pds: service } = await resolveAccount(did, network);
  const password = await readPassword(context, did);
  return passwordSession({ ...network, service, identifier: did, password });
};
