/** The command line: every verb and what they share. */
import { Command } from 'commander';
import { addBackup } from './repo/backup.ts';
import { addBranchVerbs } from './repo/branch.ts';
import { addBlobVerbs } from './blob/blob.ts';
import { addDiff } from './repo/diff.ts';
import { addExport } from './repo/export.ts';
import { addGc } from './repo/gc.ts';
import { addGet } from './record/get.ts';
import { addImport } from './repo/import.ts';
import { addInfo } from './repo/info.ts';
import { addInit } from './repo/init.ts';
import { addKeyVerbs } from './key/key.ts';
import { addLog } from './repo/log.ts';
import { addLs } from './record/ls.ts';
import { addPut } from './record/put.ts';
import { addRecommit } from './repo/recommit.ts';
import { addReset } from './repo/reset.ts';
import { addRefs } from './repo/refs.ts';
import { addRepair } from './repo/repair.ts';
import { addRestore } from './repo/restore.ts';
import { addRm } from './record/rm.ts';
import { wholeNumber } from './terminal/arguments.ts';
import type { Output } from './terminal/output.ts';
import type { GlobalOptions, Shell } from './terminal/shell.ts';
import { createContext } from './terminal/shell.ts';
import { addVerify } from './repo/verify.ts';
import { addVersion } from './version.ts';

/** In the order of the help: what one does first comes first. */
const VERBS = [
  addInit,
  addImport,
  addExport,
  addInfo,
  addLs,
  addGet,
  addPut,
  addRm,
  addLog,
  addDiff,
  addVerify,
  addRepair,
  addBackup,
  addRestore,
  addBlobVerbs,
  addRefs,
  addReset,
  addBranchVerbs,
  addRecommit,
  addGc,
  addKeyVerbs,
] as const;

const AFTER_HELP = `
Lists are tab-separated, a line an entry. Answers go to standard output; progress, warnings and errors to standard
error. The exit code is 0, or 1 after an error, or 130 after Ctrl-C.

Example:
  $ pdsdb import alice alice.car
  $ pdsdb ls alice app.bsky.feed.post --limit 3 --reverse
`;

/** Commander writes and does not wait. The reader of a help text may be gone: nothing is left to do then. */
const writeSoon =
  (output: Output) =>
  (text: string): void => {
    output.text(text).catch(() => undefined);
  };

/** The program over a shell. Parsing a command line with it runs the verb. */
export const createProgram = (shell: Shell, version: string): Command => {
  const program = new Command('pdsdb');
  const context = createContext(shell, () => program.opts<GlobalOptions>());
  program
    .description('An AT Protocol repository in one SQLite file.')
    .version(version)
    .option('--json', 'answer one JSON value; for lists, one a line')
    .option(
      '--wait <ms>',
      'wait so many milliseconds for another program that has the repository open; not at all when left out',
      wholeNumber(0),
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: writeSoon(context.stdout),
      writeErr: writeSoon(context.stderr),
      // Its sentences repeat the command line. `run` gets them as errors, and prints them as any other.
      outputError: () => undefined,
    })
    .addHelpText('after', AFTER_HELP)
    // Throws in place of ending the process, and so do the verbs, which inherit it.
    .exitOverride();
  for (const add of [...VERBS, addVersion(version)]) {
    add(program, context);
  }
  return program;
};
