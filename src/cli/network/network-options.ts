/** Options of the verbs that use the network. */
import type { Command } from 'commander';
import type { IdentityOptions } from '../../sync.ts';
import { CommandError } from '../terminal/command-error.ts';
import type { Context } from '../terminal/shell.ts';
import { shellWord } from '../terminal/shell-word.ts';

export interface NetworkFlags {
  readonly pdsHost?: string;
  readonly plcHost?: string;
  readonly allowPrivate?: boolean;
}

export const ACCOUNT: readonly [string, string] = ['<account>', 'a handle, a DID or an at:// URI'];
/** The repository of a verb that is often run in its folder. */
export const REPO_HERE: readonly [string, string, string] = ['[repo]', 'folder of the repository', '.'];

/** Adds `--pds-host`, `--plc-host` and `--allow-private`. */
export const addNetworkOptions = (command: Command): Command =>
  command
    .option('--pds-host <url>', "the account's host, in place of the one in its DID document (env: ATP_PDS_HOST)")
    .option('--plc-host <url>', 'the PLC directory (default: https://plc.directory; env: ATP_PLC_HOST)')
    .option('--allow-private', 'also connect to http:, IP addresses and names of a local network');

/** Returns the given options, for a command that continues this one. */
export const networkWords = ({ pdsHost, plcHost, allowPrivate }: NetworkFlags): string[] => [
  ...(pdsHost === undefined ? [] : ['--pds-host', shellWord(pdsHost)]),
  ...(plcHost === undefined ? [] : ['--plc-host', shellWord(plcHost)]),
  ...(allowPrivate === true ? ['--allow-private'] : []),
];

/** Returns the URL of a host. A name without a scheme is an https host. */
const urlOf = (option: string, text: string | undefined): string | undefined => {
  if (text === undefined || text === '') {
    return undefined;
  }
  const url = /^https?:\/\//.test(text) ? text : `https://${text}`;
  if (!URL.canParse(url)) {
    throw new CommandError('InvalidRequest', `${option} needs a host, such as https://pds.example.com; value=${text}`);
  }
  return new URL(url).origin;
};

/** Returns a `fetch` that names this program to hosts. */
const fetchAs = (userAgent: string): typeof fetch => {
  const named: typeof fetch = (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('user-agent', userAgent);
    return fetch(input, { ...init, headers });
  };
  return named;
};

/** Returns the options of the library. The program knows its version. */
export const networkOf = (
  { env }: Context,
  program: Command,
  { pdsHost, plcHost, allowPrivate }: NetworkFlags,
): Pick<IdentityOptions, 'allowPrivate' | 'fetch' | 'pdsUrl' | 'plcUrl'> => ({
  pdsUrl: urlOf('--pds-host', pdsHost ?? env['ATP_PDS_HOST']),
  plcUrl: urlOf('--plc-host', plcHost ?? env['ATP_PLC_HOST']),
  allowPrivate,
  fetch: fetchAs(`pdsdb/${program.version()}`),
});
