/** The file with the tokens of a session at a host. It never has a password. */
import { readFile, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { PasswordSession, SessionStore } from '../../sync.ts';
import { passwordSession } from '../../sync.ts';
import { CommandError } from '../terminal/command-error.ts';
import { ifThere, naming } from '../terminal/file-error.ts';
import { isDatabase } from '../terminal/postgres-url.ts';
import { writeFile } from '../terminal/write-file.ts';

/** Only the owner may read tokens. */
const MODE = 0o600;
const OTHERS = 0o077;

/** The option `--session`. */
export const sessionOption = (): Option =>
  new Option('--session <file>', 'file with the tokens of the session (default: <repo>.session)');

/**
 * Returns the path of the file: the given one, or beside the repository.
 * @throws {CommandError} `InvalidRequest` if the repository is in a database and no path is given.
 */
export const sessionPath = (directory: string, given: string | undefined): string => {
  if (given === undefined && isDatabase(directory)) {
    throw new CommandError(
      'InvalidRequest',
      'A repository in PostgreSQL has no folder for the file of the session. Give --session <file>.',
    );
  }
  return given ?? `${resolve(directory)}.session`;
};

const readTokens = async (path: string): Promise<string> => {
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
    throw new CommandError(
      'InvalidRequest',
      `Other users can read the tokens in ${path}. Run chmod 600 on the file, or pdsdb logout.`,
    );
  }
  return readFile(path, 'utf8');
};

/** Keeps tokens in a file of mode 0600. */
export const sessionStore = (path: string): SessionStore => ({
  get: () => ifThere(naming('read', path, readTokens(path))),
  async set(text) {
    if (text === undefined) {
      await naming('remove', path, rm(path, { force: true }));
    } else {
      await writeFile(path, [Buffer.from(`${text}\n`)], { force: true, mode: MODE });
    }
  },
});

/** Whose session it is. */
interface Owner {
  readonly origin: string;
  readonly identifier: string;
}

const ownerOf = (text: string): Owner | undefined => {
  try {
    const { origin, identifier } = JSON.parse(text) as Partial<Owner>;
    return typeof origin === 'string' && typeof identifier === 'string' ? { origin, identifier } : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Returns the session of a file, or `undefined` if the file is missing.
 * @throws {CommandError} `InvalidRequest` if the file has no session.
 */
export const openSession = async (
  path: string,
  network: Pick<Parameters<typeof passwordSession>[0], 'allowPrivate' | 'fetch' | 'signal'>,
  password: string,
): Promise<PasswordSession | undefined> => {
  const store = sessionStore(path);
  const text = await store.get();
  if (text === undefined) {
    return undefined;
  }
  const owner = ownerOf(text);
  if (owner === undefined) {
    throw new CommandError('InvalidRequest', `The file has no session. Run pdsdb login again; file=${path}`);
  }
  const { origin: service, identifier } = owner;
  return passwordSession({ ...network, service, identifier, password, store });
};
