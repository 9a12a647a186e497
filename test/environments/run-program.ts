/** Runs programs, and returns the end of their output. */
import { spawn } from 'node:child_process';

/** A program that hangs would keep a core busy after its test has given up. The slowest builds take two minutes. */
const LIMIT_MS = 600_000;

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface Ended {
  readonly code: number | null;
  /** Standard output and standard error, in the order of arrival. */
  readonly output: string;
  readonly stdout: string;
}

/** Runs a program until it ends, with any exit code. */
export const runProgram = (program: string, args: readonly string[], options: ProgramOptions): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1', CI: '1', ...options.env };
    // Removes the variables of vitest, so that programs do not detect it.
    for (const name of Object.keys(env).filter((key) => /^(VITEST|NODE_ENV|NODE_OPTIONS|npm_)/.test(key))) {
      delete (env as Record<string, string>)[name];
    }
    const child = spawn(program, args, {
      cwd: options.cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let stdout = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      stdout += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output, stdout }));
  });

/**
 * Runs a program that must succeed, and returns its standard output.
 * @throws {Error} with the whole output, if the exit code is not 0.
 */
export const runToEnd = async (program: string, args: readonly string[], options: ProgramOptions): Promise<string> => {
  const { code, output, stdout } = await runProgram(program, args, options);
  if (code !== 0) {
    throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output.slice(-8000)}`);
  }
  return stdout;
};
