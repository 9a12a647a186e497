/** Restores a backup into a folder. Node, Bun and Deno use the same steps. */
import type { BackupManifest } from '../../core/repo/transfer/backup-manifest.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import type { SaveOptions } from './backup.ts';
import { discardFolder, openBackup, replaceFolder } from './backup.ts';
import type { SiblingLocks } from './orphaned-folders.ts';
import { removeOrphanedFolders } from './orphaned-folders.ts';
import type { Place } from './place.ts';
import { io, makeParents, siblingOf } from './place.ts';
import { importFolder } from './transfer.ts';
import { assertDescribed } from './manifest-check.ts';
import type { RepoPlatform } from '../sqlite/open-repo.ts';
import { sqliteRepo } from '../sqlite/open-repo.ts';

/** What a platform provides for a restoration. */
export interface RestorePlatform {
  /** Returns the platform for a new repository in a sibling folder. */
  create(name: string): RepoPlatform;
  /** Opens the files of the repository to replace, and takes its lock. */
  openFiles(): Promise<DatabaseFiles>;
  /** Locks of sibling folders. Without them, temporary folders of killed restorations stay. */
  readonly locks?: SiblingLocks | undefined;
}

/**
 * Opens the present target as its owner, so that no other process opens it while it is replaced. `undefined` if
 * missing.
 */
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
        ? `the repository already exists: use force to replace it, or choose another folder; path=${path}`
        : entry.kind === 'folder'
          ? `the folder has files and is not a repository: choose another folder; path=${path}`
          : `the path is a file, or a symbolic link to a missing target: choose another folder; path=${path}`,
    );
  }
  return platform.openFiles();
};

/** Imports the files and checks the result. The files stay locked during both. */
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

/** Replaces the temporary name in the message of an error with the name that the caller knows. */
export const underName = (error: unknown, temporary: string, name: string): unknown =>
  isRepoError(error) && error.message.includes(temporary)
    ? new RepoError(error.code, error.message.replaceAll(temporary, name), { cause: error.cause })
    : error;

/**
 * Creates a repository from a backup, and the folders above it. Every file in the manifest is checked before the
 * repository gets its name. If this rejects, nothing has changed. Removes temporary folders of killed restorations.
 * @throws {RepoError} `RepoNotFound` if the backup is missing; `Malformed` if it is damaged (the message names the
 *   file); `RepoExists` without `force`, and if the target is not a repository; `Locked` if the target is open;
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
  const target = await io(`reading ${place.path}`, openTarget(place, platform, force));
  try {
    const takeBack = await makeParents(place);
    await removeOrphanedFolders(place, 'tmp', platform.locks);
    const temporary = siblingOf(name, 'tmp');
    try {
      await io(`restoring ${place.path}`, importChecked(platform.create(temporary), files, manifest));
      await replaceFolder(place, temporary, target !== undefined);
      await removeOrphanedFolders(place, 'old', platform.locks);
    } catch (error) {
      await discardFolder(parent, temporary);
      await takeBack();
      throw underName(error, temporary, name);
    }
  } finally {
    if (target !== undefined && target !== 'empty') {
      await io(`closing ${place.path}`, target.close());
    }
  }
  return manifest;
};
