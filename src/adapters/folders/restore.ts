/** Backups of folders into folders, and back: the same steps on every platform that has folders. */
import type { BackupManifest } from '../../core/repo/transfer/backup-manifest.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import type { SaveOptions } from './backup.ts';
import { discardFolder, openBackup, replaceFolder } from './backup.ts';
import type { SiblingLocks } from './leftovers.ts';
import { removeLeftovers } from './leftovers.ts';
import type { Place } from './place.ts';
import { io, makeParents, siblingOf } from './place.ts';
import { importFolder } from './transfer.ts';
import { assertDescribed } from './manifest-check.ts';
import type { RepoPlatform } from '../sqlite/open-repo.ts';
import { sqliteRepo } from '../sqlite/open-repo.ts';

/** What a platform gives for a restoration. */
export interface RestorePlatform {
  /** The repository in a folder beside the one that is wanted, to be made. */
  create(name: string): RepoPlatform;
  /** Opens the files of the repository that is there, and so takes its lock. */
  openFiles(): Promise<DatabaseFiles>;
  /** The locks of folders beside it. Without them nothing is removed that a killed restoration has left. */
  readonly locks?: SiblingLocks | undefined;
}

/** Opens the present target as its owner, so that nobody else opens it while it is replaced. `undefined` if missing. */
const openTarget = async (
  { parent, name, path }: Place,
  platform: RestorePlatform,
  force: boolean,
): Promise<DatabaseFiles | 'empty' | undefined> => {
  const entry = await parent.entry(name);
  if (entry === undefined) {
    return undefined;
  }
  let isEmpty = entry.kind === 'folder';
  if (isEmpty) {
    for await (const _ of parent.names(name)) {
      isEmpty = false;
      break;
    }
  }
  if (isEmpty) {
    return 'empty';
  }
  const isRepo = entry.kind === 'folder' && (await parent.entry(`${name}/pds.db`))?.kind === 'file';
  if (!isRepo || !force) {
    throw new RepoError(
      'RepoExists',
      isRepo
        ? `there is a repository already; it is replaced with force; path=${path}`
        : entry.kind === 'folder'
          ? `what is there is no repository, and is not replaced; path=${path}`
          : `what is there is a file or a symbolic link that leads nowhere, and is not replaced; path=${path}`,
    );
  }
  return platform.openFiles();
};

/** The import, and then a look at what it has made, in files that stay locked until both are over. */
const importChecked = async (
  platform: RepoPlatform,
  entries: AsyncIterable<BackupFile>,
  manifest: BackupManifest,
): Promise<void> => {
  const files = await platform.openFiles();
  try {
    const { main, journal, wal, durableOn } = files;
    const stay = async (): Promise<void> => {};
    const held: DatabaseFiles = {
      main,
      journal,
      wal,
      durableOn,
      persist: () => files.persist(),
      close: stay,
      [Symbol.asyncDispose]: stay,
    };
    const inHeld = { ...platform, openFiles: async () => held };
    await importFolder(inHeld, entries);
    const repo = await sqliteRepo(inHeld, {});
    try {
      await assertDescribed(repo, manifest);
    } finally {
      await repo.close();
    }
  } finally {
    await files.close();
  }
};

/** The error with the name that the caller knows: until it is whole, the repository has another one. */
export const underName = (error: unknown, temporary: string, name: string): unknown =>
  isRepoError(error) && error.message.includes(temporary)
    ? new RepoError(error.code, error.message.replaceAll(temporary, name), { cause: error.cause })
    : error;

/**
 * Makes a repository out of a backup, and the folders above it if need be. Everything that the manifest names is
 * checked before the repository gets its name; if anything is wrong, all is as it was. What a restoration that was
 * killed has left beside it is removed.
 * @throws {RepoError} `RepoNotFound` when there is no backup; `Malformed`, naming the file, when it is damaged;
 *   `RepoExists` without `force`, and when what is there is no repository; `Locked` when somebody has it open;
 *   `UnknownVersion`; `StorageFull`, `StorageFailed`.
 */
export const restoreFolder = async (
  backup: Place,
  place: Place,
  platform: RestorePlatform,
  { force = false }: SaveOptions,
): Promise<BackupManifest> => {
  const { manifest, files } = await openBackup(backup);
  const { parent, name } = place;
  const there = await io(`looking at ${place.path}`, openTarget(place, platform, force));
  try {
    const takeBack = await makeParents(place);
    await removeLeftovers(place, 'tmp', platform.locks);
    const temporary = siblingOf(name, 'tmp');
    try {
      await io(`restoring ${place.path}`, importChecked(platform.create(temporary), files, manifest));
      await replaceFolder(place, temporary, there !== undefined);
      await removeLeftovers(place, 'old', platform.locks);
    } catch (error) {
      await discardFolder(parent, temporary);
      await takeBack();
      throw underName(error, temporary, name);
    }
  } finally {
    if (there !== undefined && there !== 'empty') {
      await io(`closing ${place.path}`, there.close());
    }
  }
  return manifest;
};
