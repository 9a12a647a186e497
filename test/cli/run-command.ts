/** Runs the command in the process of the test, or as a child process. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { run } from '../../src/cli/run.ts';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Whether the output is a terminal. */
  readonly isTTY?: boolean;
}

export const collect = (chunks: Buffer[], isTTY: boolean): Writable & { isTTY: boolean } =>
  Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    }),
    { isTTY },
  );

/** Runs the command in this process. */
export const pdsdb = async (
  args: readonly string[],
  { input = '', env = {}, signal = new AbortController().signal, isTTY = false }: RunOptions = {},
): Promise<Outcome> => {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const stdin = Readable.from([Buffer.from(input)]).pipe(new PassThrough());
  const shell = { env, stdin, stdout: collect(out, isTTY), stderr: collect(err, isTTY), signal };
  const code = await run(args, shell, '1.2.3');
  return { code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') };
};

export interface Process extends ReturnType<typeof spawn> {
  readonly ended: Promise<Outcome>;
}

/** A process with its output and its end. */
export const collectProcess = (child: ReturnType<typeof spawn>): Process => {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
  // A command may end before it has read all input.
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') }),
    );
  });
  return Object.assign(child, { ended });
};

/** Starts the command of a built package as a process. */
export const startProcess = (folder: string, args: readonly string[]): Process =>
  collectProcess(spawn(process.execPath, [join(folder, 'dist', 'cli.js'), ...args]));

/** Parses each line of a text as JSON. */
export const jsonLines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
