/** What the command sees of the process that runs it. Tests hand in another one. */
import type { Readable, Writable } from 'node:stream';
import type { Output } from './output.ts';
import { createOutput } from './output.ts';

export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What the verbs see of it: the streams only as {@link Output}, and how the command line asked for the results. */
export interface Context extends Omit<Shell, 'stdout' | 'stderr'> {
  readonly stdout: Output;
  readonly stderr: Output;
  /** `--json`: one JSON value, or one a line for lists. Known once the command line has been read. */
  readonly json: boolean;
  /** `--wait`: how long to wait for another program to let go of the repository, in milliseconds. */
  readonly waitMs: number | undefined;
}

/** The options that every verb has. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly wait?: number;
}

/** The context over a shell. `options` is called when a verb runs. */
export const createContext = (shell: Shell, options: () => GlobalOptions): Context => ({
  env: shell.env,
  stdin: shell.stdin,
  signal: shell.signal,
  stdout: createOutput(shell.stdout, shell.signal),
  stderr: createOutput(shell.stderr, shell.signal),
  get json() {
    return options().json === true;
  },
  get waitMs() {
    return options().wait;
  },
});
