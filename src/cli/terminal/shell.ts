/** The process that runs the command, as far as the command uses it. Tests pass another one. */
import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
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

/** What the verbs use: the shell with its streams as {@link Output}, and the global options. */
export interface Context extends Omit<Shell, 'stdout' | 'stderr'> {
  readonly stdout: Output;
  readonly stderr: Output;
  /** `--json`. Known once the command line has been parsed. */
  readonly json: boolean;
  /** `--wait`: milliseconds to wait until another program releases the repository. */
  readonly waitMs: number | undefined;
}

/** Functions that add a verb to the program, by its name. */
export type Verbs = Readonly<Record<string, (program: Command, context: Context) => void>>;

/** The global options. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly wait?: number;
}

/** Returns the context of a shell. `options` is called when a verb runs. */
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
