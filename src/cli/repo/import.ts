import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { ImportOptions, ImportResult, KeySource, Repo } from '../../index.ts';
import { didOfCar, isRepoError, RepoError } from '../../index.ts';
import { createRepo } from '../../node.ts';
import { readAccountKey } from '../key/public-key.ts';
import { importNdjson } from '../files/import-ndjson.ts';
import type { BlobCounts } from '../files/import-pds.ts';
import { importFromPds } from '../files/import-pds.ts';
import { accountKeyOption, withExamples } from '../terminal/arguments.ts';
import { CommandError } from '../terminal/command-error.ts';
import { ifThere, naming } from '../terminal/file-error.ts';
import { assertPath, isReadableAgain, openInput } from '../terminal/input.ts';
import { makeFolder } from '../terminal/make-folder.ts';
import { printOne, warn } from '../terminal/print.ts';
import { warnOfMore } from '../terminal/warn-of-more.ts';
import { withProgress } from '../terminal/progress.ts';
import { removeRepo } from './remove-repo.ts';
import type { Context } from '../terminal/shell.ts';
import { closing } from '../terminal/closing.ts';
import { assertRepo, withRepo } from '../terminal/with-repo.ts';
import { writeFile } from '../terminal/write-file.ts';

interface Flags {
  readonly key?: string;
  readonly allowUnsigned?: boolean;
  readonly strict?: boolean;
  readonly dryRun?: boolean;
  readonly keepFork?: boolean;
  readonly rollback?: boolean;
  readonly ndjson?: boolean;
  readonly fromPds?: string;
  readonly blobs?: string;
}

/** The flags, with the key itself. */
interface ReadFlags extends Pick<Flags, 'allowUnsigned' | 'dryRun' | 'keepFork' | 'rollback' | 'strict'> {
  readonly key: KeySource | undefined;
}

const importInto = (context: Context, repo: Repo, source: string, flags: ReadFlags): Promise<ImportResult> =>
  withProgress(context, async (work) => {
    const options: ImportOptions = {
      ...work,
      key: flags.key,
      allowUnsigned: flags.allowUnsigned,
      records: flags.strict === true ? 'reject' : 'report',
      dryRun: flags.dryRun,
      onFork: flags.keepFork === true ? 'keep' : 'refuse',
      rollback: flags.rollback,
    };
    return repo.importCar(await openInput(context, source), options);
  });

/** Whether a folder is missing or empty. */
const isVacant = async (directory: string): Promise<boolean> =>
  ((await ifThere(naming('read', directory, readdir(directory)))) ?? []).length === 0;

/**
 * Copies a CAR that can be read only once (standard input, a pipe) into a temporary file. A new repository needs two
 * reads of the CAR, because the first finds the account.
 */
const spooling = async <T>(
  context: Context,
  directory: string,
  source: string,
  use: (path: string) => Promise<T>,
): Promise<T> => {
  if (await isReadableAgain(source)) {
    return use(source);
  }
  const beside = dirname(directory);
  const path = join(beside, `.pdsdb-import-${randomBytes(6).toString('hex')}.car`);
  try {
    const label = `a temporary file in ${beside}`;
    await writeFile(path, (await openInput(context, source)) as AsyncIterable<Buffer>, { mode: 0o600, label });
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
};

/**
 * Creates a repository and imports into it. If the import fails, removes the repository before its lock is released.
 */
const fillNew = async (context: Context, directory: string, path: string, flags: ReadFlags): Promise<ImportResult> => {
  const did = await didOfCar(await openInput(context, path));
  context.signal.throwIfAborted();
  return closing(await createRepo(directory, { did }), async (repo) => {
    try {
      return await importInto(context, repo, path, flags);
    } catch (error) {
      await removeRepo(directory).catch(() => {
        // The first error is reported.
      });
      throw error;
    }
  });
};

/** Imports into a new repository. Removes it and its folders if the import fails. */
const importNew = async (
  context: Context,
  directory: string,
  source: string,
  flags: ReadFlags,
): Promise<ImportResult> => {
  const takeBack = await naming('make', directory, makeFolder(directory));
  try {
    return await spooling(context, directory, source, (path) => fillNew(context, directory, path, flags));
  } catch (error) {
    await takeBack();
    throw error;
  }
};

const importThere = async (
  context: Context,
  directory: string,
  source: string,
  flags: ReadFlags,
): Promise<ImportResult> => {
  try {
    return await withRepo(context, directory, (repo) => importInto(context, repo, source, flags));
  } catch (error) {
    if (!isRepoError(error, 'RepoNotFound')) {
      throw error;
    }
    throw new RepoError(
      'RepoNotFound',
      `Cannot import into ${directory}: the folder has files and no pds.db. Import into a repository, or into an empty or new folder.`,
      { cause: error },
    );
  }
};

const print = async (context: Context, result: ImportResult, blobs?: BlobCounts): Promise<void> => {
  const { rev, blocks, created, updated, deleted, unchanged, missingBlobs } = result;
  const head = result.head.toString();
  const faults = result.faults.map(({ code, message, path, cid }) => ({ code, message, path, cid: cid?.toString() }));
  const counts = { blocks, created, updated, deleted, unchanged, missingBlobs };
  const { kept, replaced } = result;
  const missing = result.missing?.map(({ cid, path }) => ({ cid: cid.toString(), path }));
  await printOne(
    context,
    {
      head,
      rev,
      ...counts,
      ...(faults.length > 0 ? { faultCount: result.faultCount, faults } : {}),
      ...(kept ? { kept } : {}),
      ...(replaced === undefined ? {} : { replaced }),
      ...(missing === undefined ? {} : { missing }),
      ...(blobs ? { blobs } : {}),
    },
    [
      ['head', head],
      ['rev', rev],
      ['blocks', blocks],
      ['created', created],
      ['updated', updated],
      ['deleted', deleted],
      ['unchanged', unchanged],
      ['missing blobs', blobs?.missing ?? missingBlobs],
      ['stored blobs', blobs?.stored],
      ['missing blocks', missing?.length],
      ['old head', replaced],
      ['kept', kept && `${kept.paths.length} local changes as ${kept.ref}: see pdsdb diff <repo> main ${kept.ref}`],
    ],
  );
  for (const { message } of faults) {
    await warn(context, message);
  }
  await warnOfMore(context, result.faultCount - faults.length);
};

/** @throws {CommandError} `InvalidRequest` for arguments that do not go together. */
const assertFlags = (
  source: string | undefined,
  { fromPds, ndjson, blobs, dryRun, keepFork, rollback }: Flags,
): void => {
  if (source !== undefined && fromPds !== undefined) {
    throw new CommandError('InvalidRequest', `Give a CAR or --from-pds, not both; car=${source} from-pds=${fromPds}`);
  }
  if (source === undefined && fromPds === undefined) {
    throw new CommandError('InvalidRequest', "missing required argument 'car': give a CAR, or --from-pds <path>.");
  }
  if (fromPds !== undefined && ndjson === true) {
    throw new CommandError('InvalidRequest', `--ndjson reads lines, not a PDS. Leave one out; from-pds=${fromPds}`);
  }
  const only = Object.entries({ '--dry-run': dryRun, '--keep-fork': keepFork, '--rollback': rollback });
  const [first] = only.find(([, isGiven]) => isGiven === true) ?? [];
  if (first !== undefined && (fromPds !== undefined || ndjson === true)) {
    throw new CommandError('InvalidRequest', `${first} needs a CAR. Leave out --from-pds and --ndjson.`);
  }
  if (fromPds === undefined && blobs !== undefined) {
    throw new CommandError('InvalidRequest', `--blobs needs --from-pds. Give both; blobs=${blobs}`);
  }
  assertPath(source ?? fromPds!, source === undefined ? 'the PDS' : 'the CAR');
};

/** `import`: imports a CAR. A missing or empty folder becomes the repository of the CAR's account. */
export const addImport = (program: Command, context: Context): void => {
  const command = program
    .command('import')
    .description('check a CAR and import it; if it has a fault, nothing changes')
    .argument('<repo>', "folder of the repository; if it is missing, it is created for the CAR's account")
    .argument('[car]', 'the CAR, or with --ndjson the lines: a file, a pipe, or - for standard input')
    .addOption(accountKeyOption())
    .option('--allow-unsigned', 'also accept a commit without a signature')
    .option('--strict', 'refuse the CAR if a record is not valid in the data model')
    .option('--dry-run', 'print what the import would do, and change nothing')
    .option('--keep-fork', "also accept another commit with the head's rev; a ref keeps the old head")
    .option('--rollback', 'also accept a commit that is older than the head; a ref keeps the old head')
    .option('--ndjson', 'the file has one line of JSON per record; write them in one commit, which --key <file> signs')
    .option(
      '--from-pds <path>',
      'in place of a CAR: store.sqlite of a Bluesky PDS, or the folder of the account with it',
    )
    .option('--blobs <folder>', 'with --from-pds, the blob store of the PDS, or the folder of the account in it')
    .action(async (directory: string, given: string | undefined, flags: Flags) => {
      assertFlags(given, flags);
      await assertRepo(directory);
      if (flags.ndjson === true) {
        await importNdjson(context, directory, given!, { key: flags.key });
        return;
      }
      const target = resolve(directory);
      const key = await readAccountKey(context, flags.key);
      const isNew = await isVacant(target);
      if (flags.fromPds !== undefined) {
        const { allowUnsigned, strict, blobs } = flags;
        const records = strict === true ? 'reject' : 'report';
        const options = { key, allowUnsigned, records, isNew, blobs } as const;
        const imported = await importFromPds(context, target, flags.fromPds, options);
        await print(context, imported.result, imported.blobs);
        return;
      }
      if (isNew && flags.dryRun === true) {
        throw new CommandError(
          'InvalidRequest',
          `--dry-run compares with a repository, and ${directory} has none. To check a CAR, run pdsdb verify ${given}`,
        );
      }
      const reading: ReadFlags = { ...flags, key };
      const result = isNew
        ? await importNew(context, target, given!, reading)
        : await importThere(context, target, given!, reading);
      await print(context, result);
    });
  withExamples(
    command,
    'import alice alice.car',
    'import alice - < alice.car',
    'import alice --from-pds /pds/actors/4f/did:plc:ewvi7nxzyoun6zhxrhs64oiz --blobs /pds/blocks',
    'import alice records.ndjson --ndjson --key alice.key',
    'import alice <(curl -s "https://pds.example.com/xrpc/com.atproto.sync.getRepo?did=did:web:alice.example.com")',
  );
};
