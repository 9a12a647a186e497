/** Runs one command line to its exit code. */
import { CommanderError } from 'commander';
import { isRepoError } from '../index.ts';
import { CommandError } from './terminal/command-error.ts';
import { jsonText, printError } from './terminal/print.ts';
import { errnoOf, FileError, sentenceOfErrno } from './terminal/file-error.ts';
import { createOutput } from './terminal/output.ts';
import { createProgram } from './program.ts';
import { Reported } from './terminal/reported.ts';
import type { Shell } from './terminal/shell.ts';

const FAILED = 1;
/** 128 and the number of SIGINT, as shells count. */
const INTERRUPTED = 130;

/** A code that programs can switch on: ours, the system's, or the lexicons' word for "your request makes no sense". */
const codeOf = (error: Error): string => {
  if (error instanceof CommandError || isRepoError(error)) {
    return error.code;
  }
  return (
    errnoOf(error) ??
    (error instanceof CommanderError || error.name === 'TypeError' ? 'InvalidRequest' : 'InternalServerError')
  );
};

const sentenceOf = (error: Error): string => {
  if (error instanceof CommanderError && error.code === 'commander.help') {
    return 'a verb is missing: --help lists them';
  }
  const errno = errnoOf(error);
  if (errno !== undefined && !(error instanceof FileError)) {
    return sentenceOfErrno(errno);
  }
  const message = error.message.replace(/^error: /, '').replace(/\n(\(Did you mean [^\n]*\))$/, ' $1');
  return isRepoError(error, 'SignerRequired') ? `${message} (give --key <file>, or set PDSDB_KEY)` : message;
};

/** Whoever read our output has enough of it (`| head`): not an error, and nobody is left to tell. */
const isReaderGone = (error: Error): boolean =>
  errnoOf(error) === 'EPIPE' && (error as NodeJS.ErrnoException).syscall === 'write';

/** Waits for the words about an error. The error stays one when nobody reads them. */
const unlessGone = (words: Promise<void>): Promise<void> =>
  words.catch((error: Error) => {
    if (!isReaderGone(error)) {
      throw error;
    }
  });

/** Says what went wrong, and answers the exit code. */
const report = async (shell: Shell, error: Error, json: boolean): Promise<number> => {
  if (isReaderGone(error)) {
    return 0;
  }
  if (error instanceof CommanderError && error.exitCode === 0) {
    // Help and version end this way, too.
    return 0;
  }
  if (!(error instanceof CommanderError && error.code === 'commander.help')) {
    await unlessGone(printError(createOutput(shell.stderr), shell.signal.aborted ? 'interrupted' : sentenceOf(error)));
  }
  // A reader that takes nothing while Ctrl-C is pressed would keep the command waiting for it.
  const isStuck = shell.signal.aborted && shell.stdout.writableLength > 0;
  if (json && !isStuck && !(error instanceof Reported)) {
    const value = shell.signal.aborted
      ? { error: 'Interrupted', message: 'interrupted' }
      : { error: codeOf(error), message: sentenceOf(error) };
    await unlessGone(createOutput(shell.stdout).text(`${jsonText(value)}\n`));
  }
  return shell.signal.aborted ? INTERRUPTED : FAILED;
};

/**
 * Runs the command and answers its exit code: 0, 1 after an error, 130 when `shell.signal` was aborted. Never throws.
 * What went wrong stands on standard error, and with `--json` also as the last JSON value on standard output.
 */
export const run = async (args: readonly string[], shell: Shell, version: string): Promise<number> => {
  // Failures to write reach the code that writes; an event that nobody hears would end the process. For good: that of a
  // text which nobody waited for, as Commander's help, comes after the verb has ended.
  const heard = (): void => {};
  shell.stdout.on('error', heard);
  shell.stderr.on('error', heard);
  const program = createProgram(shell, version);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (thrown) {
    const error =
      typeof thrown === 'object' && thrown !== null && 'message' in thrown
        ? (thrown as Error)
        : new Error('something that is no error was thrown', { cause: thrown });
    // A command line that does not parse may have said --json after the word that broke it.
    const json =
      program.opts<{ json?: boolean }>().json === true || (error instanceof CommanderError && args.includes('--json'));
    try {
      return await report(shell, error, json);
    } catch {
      // Not even the words about the error could be written: the exit code is what is left to tell.
      return FAILED;
    }
  }
};
