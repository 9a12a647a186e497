/** Reads secrets, never from the arguments: other users see these in the list of processes. */
import type { ReadStream } from 'node:tty';
import { CommandError } from '../terminal/command-error.ts';
import type { Context } from '../terminal/shell.ts';

const ENTER = /[\r\n\u0004]/;
const CTRL_C = '\u0003';
const BACKSPACE = /[\b\u007f]/;

/** Reads a line of a terminal without showing it. */
const readHidden = (stdin: ReadStream, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    let typed = '';
    const end = (finish: () => void): void => {
      stdin.setRawMode(false);
      stdin.pause();
      stdin.off('data', read);
      signal.removeEventListener('abort', stop);
      finish();
    };
    const stop = (): void => end(() => reject(signal.reason as Error));
    const read = (chunk: Buffer | string): void => {
      for (const character of chunk.toString()) {
        if (character === CTRL_C) {
          end(() => reject(new CommandError('InvalidRequest', 'Nothing was entered.')));
          return;
        }
        if (ENTER.test(character)) {
          end(() => resolve(typed));
          return;
        }
        typed = BACKSPACE.test(character) ? typed.slice(0, -1) : typed + character;
      }
    };
    signal.addEventListener('abort', stop, { once: true });
    stdin.setRawMode(true);
    stdin.on('data', read);
    stdin.resume();
  });

/**
 * Returns the value of a variable of the environment, or asks for it on a terminal.
 * @param what What is asked for, such as `Password of alice.example.com`.
 * @throws {CommandError} `InvalidRequest` if there is neither.
 */
export const readSecret = async (
  { env, stdin, stderr, signal }: Context,
  variable: string,
  what: string,
): Promise<string> => {
  const given = env[variable];
  if (given !== undefined && given !== '') {
    return given;
  }
  if (!('setRawMode' in stdin) || !stderr.isTTY) {
    throw new CommandError('InvalidRequest', `There is no terminal to ask for a secret. Set ${variable}. ${what}.`);
  }
  await stderr.text(`${what}: `);
  try {
    const secret = await readHidden(stdin as ReadStream, signal);
    if (secret === '') {
      throw new CommandError('InvalidRequest', `The input is empty. Enter it, or set ${variable}. ${what}.`);
    }
    return secret;
  } finally {
    await stderr.text('\n').catch(() => {
      // After Ctrl-C nothing more is written.
    });
  }
};

/** Returns the password in `PDSDB_PASSWORD`, best an app password, or asks for it on a terminal. */
export const readPassword = (context: Context, account: string): Promise<string> =>
  readSecret(context, 'PDSDB_PASSWORD', `Password of ${account}`);
