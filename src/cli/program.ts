/** Builds the command line: all verbs and the global options. */
import { Command } from 'commander';
import { addInit } from './repo/init.ts';
import { addImport } from './repo/import.ts';
import { addExport } from './repo/export.ts';
import { addInfo } from './repo/info.ts';
import { addStats } from './repo/stats.ts';
import { addLs } from './record/ls.ts';
import { addGet } from './record/get.ts';
import { addPut } from './record/put.ts';
import { addRm } from './record/rm.ts';
import { addRestoreRecord } from './record/restore-record.ts';
import { addLog } from './repo/log.ts';
import { addDiff } from './repo/diff.ts';
import { addTree } from './car/tree.ts';
import { addProve } from './car/prove.ts';
import { addVerify } from './repo/verify.ts';
import { addRepair } from './repo/repair.ts';
import { addBackup } from './repo/backup.ts';
import { addRestore } from './repo/restore.ts';
import { addCopy } from './repo/copy.ts';
import { addUnpack } from './files/unpack.ts';
import { addPack } from './files/pack.ts';
import { addCarVerbs } from './car/car.ts';
import { addBlobVerbs } from './blob/blob.ts';
import { addRefs } from './repo/refs.ts';
import { addReset } from './repo/reset.ts';
import { addBranchVerbs } from './repo/branch.ts';
import { addRecommit } from './repo/recommit.ts';
import { addGc } from './repo/gc.ts';
import { addKeyVerbs } from './key/key.ts';
import { wholeNumber } from './terminal/arguments.ts';
import { addVersion } from './version.ts';
import type { Output } from './terminal/output.ts';
import type { GlobalOptions, Shell, Verbs } from './terminal/shell.ts';
import { createContext } from './terminal/shell.ts';

/** The verbs that need no network, in the order of the help. */
const LOCAL = {
  init: addInit,
  import: addImport,
  export: addExport,
  info: addInfo,
  stats: addStats,
  ls: addLs,
  get: addGet,
  put: addPut,
  rm: addRm,
  'restore-record': addRestoreRecord,
  log: addLog,
  diff: addDiff,
  tree: addTree,
  prove: addProve,
  verify: addVerify,
  repair: addRepair,
  backup: addBackup,
  restore: addRestore,
  copy: addCopy,
  unpack: addUnpack,
  pack: addPack,
  car: addCarVerbs,
  blob: addBlobVerbs,
  refs: addRefs,
  reset: addReset,
  branch: addBranchVerbs,
  recommit: addRecommit,
  gc: addGc,
  key: addKeyVerbs,
} satisfies Verbs;

const AFTER_HELP = `
A repository is a folder. Most verbs also take one in PostgreSQL: postgres://host/database#did:plc:...
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

/**
 * Returns the verbs for the network, unless the command line needs none of them. Loading them takes long. `blob` has a
 * verb of them, and the help and the error for an unknown verb name all.
 */
const networkVerbs = async (args: readonly string[]): Promise<Verbs> => {
  const first = args.find((arg) => !arg.startsWith('-')) ?? args[0];
  const isLocal = first !== undefined && first !== 'blob' && Object.hasOwn(LOCAL, first);
  return isLocal || first === 'version' || first === '--version' ? {} : (await import('./network/verbs.ts')).NETWORK;
};

/** Returns the program for a command line. Parsing the line runs the verb. */
export const createProgram = async (shell: Shell, version: string, args: readonly string[]): Promise<Command> => {
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
  const { init, ...local } = LOCAL;
  const { blob: addToBlob, ...network } = await networkVerbs(args);
  for (const add of [init, ...Object.values(network), ...Object.values(local)]) {
    add(program, context);
  }
  addToBlob?.(program, context);
  addVersion(version)(program, context);
  return program;
};
