/** Backups of folders into folders, and back: the same steps on every platform that has folders. */
import type { BackupManifest } from '../../core/backup.ts';
import { RepoError } from '../../core/errors.ts';
import type { DatabaseFiles } from '../../wasm/database-files.ts';
import type { Place, SaveOptions } from './backup-folder.ts';
import { discardFolder, openBackup, replaceFolder, siblingOf } from './backup-folder.ts';
import { importFolder } from '../folder-transfer.ts';
import type { RepoPlatform } from '../sqlite-repo.ts';

/** What a platform gives for folders. */
export interface FolderPlatform {
  /** The repository in a folder beside the one that is wanted, to be made. */
  create(name: string): RepoPlatform;
  /** Opens the files of the repository that is there, and so takes its lock. */
  openFiles(): Promise<DatabaseFiles>;
}

/** Answers what is there as an owner, so that nobody has it open while it is replaced; `undefined` when nothing is. */
const takeOver = async ({ parent, name, path }: Place, platform: FolderPlatform, force: boolean): Promise<DatabaseFiles | 'empty' | undefined> => {
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
    throw new RepoError('RepoExists', isRepo ? `there is a repository already; path=${path}` : `what is there is no repository, and is not replaced; path=${path}`);
  }
  return platform.openFiles();
};

/**
 * Makes a repository out of a backup. Everything that the manifest names is checked before the repository gets its name;
 * if anything is wrong, all is as it was.
 * @throws {RepoError} `RepoNotFound` when there is no backup; `Malformed`, naming the file, when it is damaged;
 *   `RepoExists` without `force`, and when what is there is no repository; `Locked` when somebody has it open;
 *   `UnknownVersion`; `StorageFull`, `StorageFailed`.
 */
export const restoreFolder = async (backup: Place, place: Place, platform: FolderPlatform, { force = false }: SaveOptions): Promise<BackupManifest> => {
  const { manifest, files } = await openBackup(backup);
  const { parent, name } = place;
  const there = await takeOver(place, platform, force);
  try {
    const temporary = siblingOf(name, 'tmp');
    try {
      const { did } = await importFolder(platform.create(temporary), files);
      if (did !== manifest.did) {
        throw new RepoError('Malformed', `the backup is damaged: its database is of another account; manifest=${manifest.did} database=${did}`);
      }
      await replaceFolder(place, temporary, there !== undefined);
    } catch (error) {
      await discardFolder(parent, temporary);
      throw error;
    }
  } finally {
    if (there !== undefined && there !== 'empty') {
      await there.close();
    }
  }
  return manifest;
};
