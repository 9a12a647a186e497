/** Creates a repository from a CAR in a folder, which is complete or missing. */
import type { CarSource } from '../../core/car/source.ts';
import { RepoError } from '../../core/errors.ts';
import type { ImportOptions, ImportResult } from '../../core/repo/long-work.ts';
import { carWithDid } from '../../core/repo/transfer/car-with-did.ts';
import { MAIN_NAME } from '../../core/storage/layout.ts';
import type { RepoPlatform } from '../sqlite/open-repo.ts';
import { sqliteRepo } from '../sqlite/open-repo.ts';
import { discardFolder } from './backup.ts';
import type { SiblingLocks } from './orphaned-folders.ts';
import { removeOrphanedFolders } from './orphaned-folders.ts';
import type { Place } from './place.ts';
import { io, makeParents, siblingOf } from './place.ts';
import { underName } from './restore.ts';

/** Returns whether the folder exists and is empty. @throws {RepoError} `RepoExists` if it is not empty. */
const isEmptyFolder = async ({ parent, name, path }: Place): Promise<boolean> => {
  const entry = await parent.entry(name);
  if (entry === undefined) {
    return false;
  }
  if (entry.kind !== 'folder') {
    throw new RepoError(
      'RepoExists',
      `cannot create the repository: the path is not a folder. Choose another one; path=${path}`,
    );
  }
  for await (const _ of parent.names(name)) {
    const isRepo = (await parent.entry(`${name}/${MAIN_NAME}`))?.kind === 'file';
    throw new RepoError(
      'RepoExists',
      isRepo
        ? `the repository already exists: open it with openRepo, and import with importCar; path=${path}`
        : `the folder is not empty, and is not a repository: choose another folder; path=${path}`,
    );
  }
  return true;
};

/** Renames the folder to its name, unless another process has created a folder of that name meanwhile. */
const nameFolder = async ({ parent, name }: Place, temporary: string, isEmpty: boolean): Promise<void> => {
  if (isEmpty) {
    await parent.removeFolder(name);
  }
  if ((await parent.entry(name)) !== undefined) {
    throw new RepoError(
      'RepoExists',
      `another process has created the repository meanwhile: open it with openRepo; name=${name}`,
    );
  }
  await parent.rename(temporary, name);
  await parent.syncFolder('.');
};

const fill = async (
  platform: RepoPlatform,
  did: string,
  source: CarSource,
  options: ImportOptions,
): Promise<ImportResult> => {
  const repo = await sqliteRepo(platform, { did });
  try {
    return await repo.importCar(source, options);
  } finally {
    await repo.close();
  }
};

/**
 * Creates a repository from a CAR, and the folders above it. It is created in a temporary folder, which is renamed when
 * everything is durable. If the import fails or the process ends, no repository is left. Removes temporary folders of
 * killed imports.
 * @param create Returns the platform for a sibling folder of the given name.
 * @param locks Locks of sibling folders.
 * @throws {RepoError} `RepoExists` if the folder is not empty; the codes of `Repo.importCar`; `StorageFull`,
 *   `StorageFailed`.
 */
export const importFolderRepo = async (
  place: Place,
  create: (name: string) => RepoPlatform,
  locks: SiblingLocks,
  car: CarSource,
  options: ImportOptions,
): Promise<ImportResult> => {
  const { parent, name, path } = place;
  const isEmpty = await io(`reading ${path}`, isEmptyFolder(place));
  const { did, source, close } = await carWithDid(car, options);
  try {
    const takeBack = await makeParents(place);
    await removeOrphanedFolders(place, 'tmp', locks);
    const temporary = siblingOf(name, 'tmp');
    try {
      const result = await fill(create(temporary), did, source, options);
      await io(`making ${path}`, nameFolder(place, temporary, isEmpty));
      return result;
    } catch (error) {
      await discardFolder(parent, temporary);
      await takeBack();
      throw underName(error, temporary, name);
    }
  } finally {
    await close();
  }
};
