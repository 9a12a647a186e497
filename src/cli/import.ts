import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { ImportOptions, ImportResult, Repo } from '../index.ts';
import { createRepo } from '../node.ts';
import { accountKeyOption, withExamples } from './arguments.ts';
import { didOfCar } from './commit-did.ts';
import { openInput } from './input.ts';
import { printOne, warn } from './print.ts';
import { withProgress } from './progress.ts';
import type { Context } from './shell.ts';
import { closing, withRepo } from './with-repo.ts';
import { writeFile } from './write-file.ts';

interface Flags {
  readonly key?: string;
  readonly allowUnsigned?: boolean;
  readonly strict?: boolean;
}

const importInto = (context: Context, repo: Repo, source: string, flags: Flags): Promise<ImportResult> =>
  withProgress(context, (work) => {
    const options: ImportOptions = {
      ...work,
      key: flags.key,
      allowUnsigned: flags.allowUnsigned,
      records: flags.strict === true ? 'reject' : 'report',
    };
    return repo.importCar(openInput(context, source), options);
  });

/** Whether a folder is missing or has nothing in it, so that all that it holds later is ours to remove. */
const isVacant = async (directory: string): Promise<boolean> => {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
    return true;
  }
};

/** Makes a folder, parents included, and answers how to take back exactly what was made, and what came to lie in it. */
const makeFolder = async (directory: string): Promise<() => Promise<void>> => {
  const made = await mkdir(directory, { recursive: true });
  return async () => {
    if (made !== undefined) {
      await rm(made, { recursive: true, force: true });
      return;
    }
    for (const name of await readdir(directory)) {
      await rm(join(directory, name), { recursive: true, force: true });
    }
  };
};

/** A CAR has to be read twice to know whom a new repository is of: standard input waits in a file beside it. */
const spool = async (context: Context, directory: string): Promise<string> => {
  const path = join(dirname(directory), `.pdsdb-import-${randomBytes(6).toString('hex')}.car`);
  await writeFile(path, openInput(context, '-') as AsyncIterable<Buffer>, { mode: 0o600 });
  return path;
};

/** Imports into a repository that is made for it, and leaves nothing behind when that fails. */
const importNew = async (context: Context, directory: string, source: string, flags: Flags): Promise<ImportResult> => {
  const takeBack = await makeFolder(directory);
  let spooled: string | undefined;
  try {
    spooled = source === '-' ? await spool(context, directory) : undefined;
    const path = spooled ?? source;
    const did = await didOfCar(createReadStream(path));
    context.signal.throwIfAborted();
    return await closing(await createRepo(directory, { did }), (repo) => importInto(context, repo, path, flags));
  } catch (error) {
    await takeBack().catch(() => {
      // What went wrong first is what the person has to hear.
    });
    throw error;
  } finally {
    if (spooled !== undefined) {
      await rm(spooled, { force: true });
    }
  }
};

const print = async (context: Context, result: ImportResult): Promise<void> => {
  const { rev, blocks, created, updated, deleted, unchanged, missingBlobs } = result;
  const head = result.head.toString();
  const faults = result.faults.map(({ code, message, path, cid }) => ({ code, message, path, cid: cid?.toString() }));
  const counts = { blocks, created, updated, deleted, unchanged, missingBlobs };
  await printOne(context, { head, rev, ...counts, ...(faults.length > 0 ? { faults } : {}) }, [
    ['head', head],
    ['rev', rev],
    ['blocks', blocks],
    ['created', created],
    ['updated', updated],
    ['deleted', deleted],
    ['unchanged', unchanged],
    ['missing blobs', missingBlobs],
  ]);
  for (const { message } of faults) {
    await warn(context, message);
  }
};

/** `import`: takes in a CAR. A folder that does not exist, or is empty, becomes the repository of the CAR's account. */
export const addImport = (program: Command, context: Context): void => {
  const command = program
    .command('import')
    .description('take in a CAR: everything is checked first, and nothing has changed if anything is wrong')
    .argument('<repo>', 'folder of the repository; created, with the DID of the commit, when it is not there')
    .argument('<car>', 'the CAR file, or - for standard input')
    .addOption(accountKeyOption())
    .option('--allow-unsigned', 'take a commit without a signature, too')
    .option('--strict', 'refuse the CAR if a record in it breaks the data model')
    .action(async (directory: string, source: string, flags: Flags) => {
      const target = resolve(directory);
      const result = (await isVacant(target))
        ? await importNew(context, target, source, flags)
        : await withRepo(context, target, (repo) => importInto(context, repo, source, flags));
      await print(context, result);
    });
  withExamples(command, 'import alice alice.car', 'import alice - < alice.car');
};
