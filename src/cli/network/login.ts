import type { Command } from 'commander';
import { isRepoError, RepoError } from '../../index.ts';
import { passwordSession, resolveAccount } from '../../sync.ts';
import { withExamples } from '../terminal/arguments.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withReader } from '../terminal/with-repo.ts';
import type { NetworkFlags } from './network-options.ts';
import { addNetworkOptions, networkOf, REPO_HERE } from './network-options.ts';
import { readPassword } from './password.ts';
import { openSession, sessionOption, sessionPath, sessionStore } from './session-file.ts';

interface Flags extends NetworkFlags {
  readonly identifier?: string;
  readonly service?: string;
  readonly session?: string;
}

/** Returns the DID of the repository, or `undefined` if the folder has no repository yet. */
const didOfRepo = async (context: Context, directory: string): Promise<string | undefined> => {
  try {
    return await withReader(context, directory, async ({ did }) => did);
  } catch (error) {
    if (isRepoError(error, 'RepoNotFound')) {
      return undefined;
    }
    throw error;
  }
};

const logIn = async (context: Context, program: Command, directory: string, flags: Flags): Promise<void> => {
  const network = { ...networkOf(context, program, flags), signal: context.signal };
  const owner = await didOfRepo(context, directory);
  const identifier = flags.identifier ?? owner;
  if (identifier === undefined) {
    throw new RepoError('RepoNotFound', `the folder has no repository: give --identifier; path=${directory}`);
  }
  const service = flags.service ?? (await resolveAccount(identifier, network)).pds;
  const path = sessionPath(directory, flags.session);
  const password = await readPassword(context, identifier);
  // Stored tokens are not read: they would accept a wrong password.
  let tokens: string | undefined;
  const store = { get: async () => undefined, set: async (text: string | undefined) => void (tokens = text) };
  const session = passwordSession({ ...network, service, identifier, password, store });
  const did = await session.signIn();
  if (owner !== undefined && did !== owner) {
    await session.signOut();
    throw new RepoError(
      'WrongDid',
      `the session is of another account: check --identifier; did=${did} expected=${owner}`,
    );
  }
  await sessionStore(path).set(tokens);
  await printOne(context, { did, service, file: path }, [
    ['did', did],
    ['host', service],
    ['file', path],
  ]);
};

/** `login` and `logout`: a session at the account's host, which writes need. */
export const addLoginVerbs = (program: Command, context: Context): void => {
  const login = addNetworkOptions(
    program.command('login').description('sign in to the host; the password is in PDSDB_PASSWORD, or is asked for'),
  )
    .argument(...REPO_HERE)
    .option('--identifier <account>', 'handle, DID or email address (default: the DID of the repository)')
    .option('--service <url>', "address of the host (default: the account's host)")
    .addOption(sessionOption())
    .action((directory: string, flags: Flags) => logIn(context, program, directory, flags));
  withExamples(login, 'login alice.example.com');

  const logout = addNetworkOptions(program.command('logout').description('end the session, and remove its file'))
    .argument(...REPO_HERE)
    .addOption(sessionOption())
    .action(async (directory: string, flags: Flags) => {
      const path = sessionPath(directory, flags.session);
      const network = { ...networkOf(context, program, flags), signal: context.signal };
      const session = await openSession(path, network, '');
      await session?.signOut();
      await printOne(context, { file: path, ended: session !== undefined }, [
        ['file', path],
        ['ended', session === undefined ? 'no session' : 'yes'],
      ]);
    });
  withExamples(logout, 'logout alice.example.com');
};
