/** `import --from-pds`: imports an account from the disk of a Bluesky PDS. */
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportOptions, ImportResult, Repo } from '../../index.ts';
import { isRepoError, RepoError } from '../../index.ts';
import type { PdsAccount } from '../../node.ts';
import { importRepo, openPdsAccount } from '../../node.ts';
import { CommandError } from '../terminal/command-error.ts';
import { naming } from '../terminal/file-error.ts';
import { withProgress } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { closing } from '../terminal/closing.ts';
import { withRepo } from '../terminal/with-repo.ts';

/** Attempts while the PDS writes to its database. */
const MAX_TRIES = 10;

/** The blobs of an import. */
export interface BlobCounts {
  readonly stored: number;
  /** Blobs whose file is missing, or does not match its CID. */
  readonly missing: number;
}

export interface PdsImport {
  readonly result: ImportResult;
  /** Absent without `--blobs`. */
  readonly blobs: BlobCounts | undefined;
}

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );

/** Returns the folder with the blobs of an account: the blob store of the PDS has one per account. */
const blobFolder = async (given: string, did: string): Promise<string> => {
  if (await isFolder(join(given, did))) {
    return join(given, did);
  }
  if (!(await naming('read', given, stat(given))).isDirectory()) {
    throw new CommandError('InvalidRequest', `The path of the blobs is not a folder. Give a folder; path=${given}`);
  }
  return given;
};

/** Stores the blobs of the account that are files of the folder. */
const importBlobs = async (context: Context, repo: Repo, account: PdsAccount, folder: string): Promise<BlobCounts> => {
  let stored = 0;
  for (const { cid, mimeType } of account.blobs) {
    context.signal.throwIfAborted();
    const file = await openAsBlob(join(folder, cid.toString())).catch(() => undefined);
    if (file === undefined) {
      continue;
    }
    const { ref } = await repo.putBlob(file, { mimeType, signal: context.signal });
    if (ref.equals(cid)) {
      stored += 1;
    }
    // Damaged bytes are another blob, which no record mentions: `gc --blobs` removes it.
  }
  return { stored, missing: account.blobs.length - stored };
};

const importAccount = async (
  context: Context,
  directory: string,
  account: PdsAccount,
  { isNew, blobs, ...options }: PdsImportOptions,
): Promise<PdsImport> => {
  const folder = blobs === undefined ? undefined : await blobFolder(blobs, account.did);
  const finish = async (repo: Repo, result: ImportResult): Promise<PdsImport> => ({
    result,
    blobs: folder === undefined ? undefined : await importBlobs(context, repo, account, folder),
  });
  if (isNew) {
    const repo = await withProgress(context, (work) =>
      importRepo(directory, account.car(), { ...work, ...options, did: account.did }),
    );
    return closing(repo, () => finish(repo, repo.imported));
  }
  return withRepo(context, directory, async (repo) => {
    const result = await withProgress(context, (work) => repo.importCar(account.car(), { ...work, ...options }));
    return finish(repo, result);
  });
};

const importOnce = async (
  context: Context,
  directory: string,
  path: string,
  options: PdsImportOptions,
): Promise<PdsImport> => {
  const account = await openPdsAccount(path);
  try {
    return await importAccount(context, directory, account, options);
  } finally {
    await account.close();
  }
};

export interface PdsImportOptions extends Pick<ImportOptions, 'allowUnsigned' | 'key' | 'records'> {
  /** Whether the repository is to be created. */
  readonly isNew: boolean;
  /** The folder of the blobs. */
  readonly blobs: string | undefined;
}

/**
 * Imports an account from `store.sqlite` of a PDS, and verifies it as a CAR. Tries again if the PDS rewrites its
 * database meanwhile.
 */
export const importFromPds = async (
  context: Context,
  directory: string,
  path: string,
  options: PdsImportOptions,
): Promise<PdsImport> => {
  for (let tries = 1; ; tries++) {
    try {
      return await importOnce(context, directory, path, options);
    } catch (error) {
      // An own lock is reported at once: its message names the repository.
      if (!isRepoError(error, 'Locked') || !error.message.startsWith('the PDS ')) {
        throw error;
      }
      if (tries === MAX_TRIES) {
        throw new RepoError('Locked', `${error.message}. Stop the PDS, or try again later; path=${path}`, {
          cause: error,
        });
      }
    }
  }
};
