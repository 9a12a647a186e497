/** Runs the command in a process of its own. */
import { readFileSync } from 'node:fs';
import { run } from './run.ts';
import { createOutput } from './terminal/output.ts';
import { printError } from './terminal/print.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Runs the command line of the process, and sets its exit code. */
export const main = async (): Promise<void> => {
  const interruption = new AbortController();
  process.on('SIGINT', () => {
    if (interruption.signal.aborted) {
      // The second Ctrl-C ends the process at once. SQLite recovers at the next opening.
      process.exit(130);
    }
    interruption.abort();
  });

  // Node would print the message of an uncaught error with its escape codes.
  process.on('uncaughtException', (error) => {
    const exit = (): void => process.exit(1);
    printError(createOutput(process.stderr), `Unexpected error: ${error.message}. Please report it.`).then(exit, exit);
  });

  const exitCode = await run(
    process.argv.slice(2),
    {
      env: process.env,
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      signal: interruption.signal,
    },
    version,
  );
  if (interruption.signal.aborted) {
    // Unread output would keep the process alive.
    process.exit(exitCode);
  }
  process.exitCode = exitCode;
};
