/** Runs one command line and returns its exit code. */
import { CommanderError } from 'commander';
import type { RepoErrorCode } from '../index.ts';
import { isRepoError } from '../index.ts';
import { CommandError } from './terminal/command-error.ts';
import { jsonText, printError } from './terminal/print.ts';
import { errnoOf, FileError, sentenceOfErrno } from './terminal/file-error.ts';
import { Interrupted } from './terminal/interrupted.ts';
import { createOutput } from './terminal/output.ts';
import { createProgram } from './program.ts';
import { Reported } from './terminal/reported.ts';
import type { Shell } from './terminal/shell.ts';

const FAILED = 1;
/** 128 plus the number of SIGINT, as in shells. */
const INTERRUPTED = 130;

/** Returns the code of an error: ours, the system's, or a code of the XRPC lexicons. */
const codeOf = (error: Error): string => {
  if (error instanceof CommandError || isRepoError(error)) {
    return error.code;
  }
  return (
    errnoOf(error) ??
    (error instanceof CommanderError || error.name === 'TypeError' ? 'InvalidRequest' : 'InternalServerError')
  );
};

/** The options of the command that help against an error of the library. */
const OPTIONS: Partial<Record<RepoErrorCode, string>> = {
  SignerRequired: 'give --key <file>, or set PDSDB_KEY',
  UnsafeHost: 'for a host of your own network, give --allow-private',
};

const sentenceOf = (error: Error): string => {
  if (error instanceof CommanderError && error.code === 'commander.help') {
    return 'The verb is missing. To list the verbs, run pdsdb --help.';
  }
  const errno = errnoOf(error);
  if (errno !== undefined && !(error instanceof FileError)) {
    return sentenceOfErrno(errno);
  }
  const message = error.message.replace(/^error: /, '').replace(/\n(\(Did you mean [^\n]*\))$/, ' $1');
  const options = isRepoError(error) ? OPTIONS[error.code] : undefined;
  return options === undefined ? message : `${message} (${options})`;
};

/** The message after Ctrl-C. */
const interruption = (error: Error): string =>
  error instanceof Interrupted ? `interrupted. ${error.message}` : 'interrupted';

/** Whether the reader of our output has ended, as in `| head`. This is not an error. */
const isReaderGone = (error: Error): boolean =>
  errnoOf(error) === 'EPIPE' && (error as NodeJS.ErrnoException).syscall === 'write';

/** Waits until an error message is written. Ignores that its reader has ended. */
const unlessGone = (written: Promise<void>): Promise<void> =>
  written.catch((error: Error) => {
    if (!isReaderGone(error)) {
      throw error;
    }
  });

/** Prints an error, and returns the exit code. */
const report = async (shell: Shell, error: Error, json: boolean): Promise<number> => {
  if (isReaderGone(error)) {
    return 0;
  }
  if (error instanceof CommanderError && error.exitCode === 0) {
    // Help and version also end this way.
    return 0;
  }
  if (!(error instanceof CommanderError && error.code === 'commander.help')) {
    await unlessGone(
      printError(createOutput(shell.stderr), shell.signal.aborted ? interruption(error) : sentenceOf(error)),
    );
  }
  // After Ctrl-C, do not wait for a reader that has stopped reading.
  const isStuck = shell.signal.aborted && shell.stdout.writableLength > 0;
  if (json && !isStuck && !(error instanceof Reported)) {
    const value = shell.signal.aborted
      ? { error: 'Interrupted', message: interruption(error) }
      : { error: codeOf(error), message: sentenceOf(error) };
    await unlessGone(createOutput(shell.stdout).text(`${jsonText(value)}\n`));
  }
  return shell.signal.aborted ? INTERRUPTED : FAILED;
};

/**
 * Runs the command and returns its exit code: 0, 1 after an error, 130 if `shell.signal` was aborted. Never throws. An
 * error is printed to standard error, and with `--json` also as the last JSON value on standard output.
 */
export const run = async (args: readonly string[], shell: Shell, version: string): Promise<number> => {
  // Write errors reach the caller of the write. Without a listener, the event would end the process. The listeners
  // stay, because the error of a text without a waiting caller (Commander's help) comes after the verb has ended.
  const ignore = (): void => {};
  shell.stdout.on('error', ignore);
  shell.stderr.on('error', ignore);
  const program = await createProgram(shell, version, args);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (thrown) {
    const error =
      typeof thrown === 'object' && thrown !== null && 'message' in thrown
        ? (thrown as Error)
        : new Error(`A value that is not an error was thrown: ${String(thrown)}. Please report this.`, {
            cause: thrown,
          });
    // In a command line that does not parse, --json may be after the wrong argument.
    const json =
      program.opts<{ json?: boolean }>().json === true || (error instanceof CommanderError && args.includes('--json'));
    try {
      return await report(shell, error, json);
    } catch {
      // The error message cannot be written either. Only the exit code remains.
      return FAILED;
    }
  }
};
