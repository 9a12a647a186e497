/** Builds the command line: all verbs and the global options. */
import { Command } from 'commander';
import { addBackup } from './repo/backup.ts';
import { addBranchVerbs } from './repo/branch.ts';
import { addBlobVerbs } from './blob/blob.ts';
import { addCarVerbs } from './car/car.ts';
import { addProve } from './car/prove.ts';
import { addTree } from './car/tree.ts';
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
import { addPack } from './files/pack.ts';
import { addUnpack } from './files/unpack.ts';
import { addPut } from './record/put.ts';
import { addRecommit } from './repo/recommit.ts';
import { addReset } from './repo/reset.ts';
import { addRefs } from './repo/refs.ts';
import { addRepair } from './repo/repair.ts';
import { addRestore } from './repo/restore.ts';
import { addRestoreRecord } from './record/restore-record.ts';
import { addRm } from './record/rm.ts';
import { addStats } from './repo/stats.ts';
import { wholeNumber } from './terminal/arguments.ts';
import type { Output } from './terminal/output.ts';
import type { GlobalOptions, Shell } from './terminal/shell.ts';
import { createContext } from './terminal/shell.ts';
import { addVerify } from './repo/verify.ts';
import { addVersion } from './version.ts';
import { addBlobFetch } from './network/blob-fetch.ts';
import { addClone } from './network/clone.ts';
import { addFollow } from './network/follow.ts';
import { addLoginVerbs } from './network/login.ts';
import { addMigrate } from './network/migrate.ts';
import { addOutboxVerbs } from './network/outbox.ts';
import { addPull } from './network/pull.ts';
import { addPush } from './network/push.ts';
import { addResolve } from './network/resolve.ts';
import { addStatus } from './network/status.ts';

/** In the order of the help. */
const VERBS = [
  addInit,
  addClone,
  addPull,
  addFollow,
  addStatus,
  addOutboxVerbs,
  addPush,
  addMigrate,
  addLoginVerbs,
  addResolve,
  addImport,
  addExport,
  addInfo,
  addStats,
  addLs,
  addGet,
  addPut,
  addRm,
  addRestoreRecord,
  addLog,
  addDiff,
  addTree,
  addProve,
  addVerify,
  addRepair,
  addBackup,
  addRestore,
  addUnpack,
  addPack,
  addCarVerbs,
  addBlobVerbs,
  addBlobFetch,
  addRefs,
  addReset,
  addBranchVerbs,
  addRecommit,
  addGc,
  addKeyVerbs,
] as const;

const AFTER_HELP = `
Lists have one tab-separated line per entry. Results go to standard output; progress, warnings and errors go to standard
error. The exit code is 0, 1 after an error, or 130 after Ctrl-C.

Example:
  $ pdsdb import alice alice.car
  $ pdsdb ls alice app.bsky.feed.post --limit 3 --reverse
`;

/** Commander does not wait for a write. If the reader of a help text has ended, the error is ignored. */
const writeSoon =
  (output: Output) =>
  (text: string): void => {
    output.text(text).catch(() => undefined);
  };

/** Returns the program. Parsing a command line runs the verb. */
export const createProgram = (shell: Shell, version: string): Command => {
  const program = new Command('pdsdb');
  const context = createContext(shell, () => program.opts<GlobalOptions>());
  program
    .description('An AT Protocol repository in one SQLite file.')
    .version(version)
    .option('--json', 'print one JSON value; lists print one JSON value per line')
    .option(
      '--wait <ms>',
      'milliseconds to wait while another program has the repository open (default: 0)',
      wholeNumber(0),
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: writeSoon(context.stdout),
      writeErr: writeSoon(context.stderr),
      // `run` gets these texts as errors, and escapes control characters when it prints them.
      outputError: () => undefined,
    })
    .addHelpText('after', AFTER_HELP)
    // Throws instead of ending the process. The verbs inherit this.
    .exitOverride();
  for (const add of [...VERBS, addVersion(version)]) {
    add(program, context);
  }
  return program;
};
