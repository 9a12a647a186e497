/** A repository made from a CAR, in a folder that is there as a whole or not at all. */
import type { CarSource } from '../../core/car/source.ts';
import { RepoError } from '../../core/errors.ts';
import type { ImportOptions, ImportResult } from '../../core/repo/long-work.ts';
import { carWithDid } from '../../core/repo/transfer/car-with-did.ts';
import { MAIN_NAME } from '../../core/storage/layout.ts';
import type { RepoPlatform } from '../sqlite/open-repo.ts';
import { sqliteRepo } from '../sqlite/open-repo.ts';
import { discardFolder } from './backup.ts';
import type { SiblingLocks } from './leftovers.ts';
import { removeLeftovers } from './leftovers.ts';
import type { Place } from './place.ts';
import { io, makeParents, siblingOf } from './place.ts';
import { underName } from './restore.ts';

/** Whether the folder is there and empty. @throws {RepoError} `RepoExists` when anything is in it. */
const isEmptyFolder = async ({ parent, name, path }: Place): Promise<boolean> => {
  const entry = await parent.entry(name);
  if (entry === undefined) {
    return false;
  }
  if (entry.kind !== 'folder') {
    throw new RepoError('RepoExists', `what is there is not a folder, and is not replaced; path=${path}`);
  }
  for await (const _ of parent.names(name)) {
    const isRepo = (await parent.entry(`${name}/${MAIN_NAME}`))?.kind === 'file';
    throw new RepoError(
      'RepoExists',
      isRepo
        ? `there is a repository already: open it with openRepo, and import with importCar; path=${path}`
        : `the folder is not empty, and is not a repository; path=${path}`,
    );
  }
  return true;
};

/** Gives the folder its name. Somebody who has made another one meanwhile keeps theirs. */
const nameFolder = async ({ parent, name }: Place, temporary: string, isEmpty: boolean): Promise<void> => {
  if (isEmpty) {
    await parent.removeFolder(name);
  }
  if ((await parent.entry(name)) !== undefined) {
    throw new RepoError('RepoExists', `a repository was made meanwhile; name=${name}`);
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
 * Makes a repository from a CAR, and the folders above it if need be. It is made beside the folder, which gets its name
 * when all is durable; if anything is wrong, or the process ends, there is no repository of that name. What an import
 * that was killed has left beside it is removed.
 * @param create The repository in a folder of the given name beside the one that is wanted.
 * @param locks Of folders beside it.
 * @throws {RepoError} `RepoExists` when the folder is not empty; as the import does; `StorageFull`, `StorageFailed`.
 */
export const importFolderRepo = async (
  place: Place,
  create: (name: string) => RepoPlatform,
  locks: SiblingLocks,
  car: CarSource,
  options: ImportOptions,
): Promise<ImportResult> => {
  const { parent, name, path } = place;
  const isEmpty = await io(`looking at ${path}`, isEmptyFolder(place));
  const { did, source, close } = await carWithDid(car, options);
  try {
    const takeBack = await makeParents(place);
    await removeLeftovers(place, 'tmp', locks);
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
