/** A folder with its parent folder, so that backups and restorations can replace it as a whole. */
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { BlobFolder } from '../blobs/blob-folder.ts';

/** The folder that contains backups and repositories. */
export interface ParentFolder extends BlobFolder {
  /** Removes an empty folder. */
  removeFolder(path: string): Promise<void>;
}

/** A folder, which may be missing, in its parent folder. */
export interface Place {
  readonly parent: ParentFolder;
  /** Its name in the parent folder. */
  readonly name: string;
  /** The path that the caller gave, for messages. */
  readonly path: string;
  /** Returns the place of the parent folder, or `undefined` if the parent is known to exist. */
  above(): Place | undefined;
}

/** Awaits `work`, and converts its errors to `RepoError`. */
export const io = async <T>(doing: string, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw toStorageError(error, doing);
  }
};

/** Removes a folder with its content. Does not follow links. */
export const removeTree = async (parent: ParentFolder, path: string): Promise<void> => {
  const names: string[] = [];
  for await (const name of parent.names(path)) {
    names.push(name);
  }
  for (const name of names) {
    const inner = `${path}/${name}`;
    if ((await parent.entry(inner))?.kind === 'folder') {
      await removeTree(parent, inner);
    } else {
      await parent.remove(inner);
    }
  }
  await parent.removeFolder(path);
};

/** The longest name in file systems, in bytes. */
const MAX_NAME_LENGTH = 255;

/** Shortens a text to `most` bytes of UTF-8. */
const shortened = (text: string, most: number): string => {
  let size = 0;
  let end = 0;
  for (const character of text) {
    size += new TextEncoder().encode(character).length;
    if (size > most) {
      break;
    }
    end += character.length;
  }
  return text.slice(0, end);
};

const RANDOM_BYTES = 6;

/** Returns the name of a sibling without its random end. A long name of the folder is shortened. */
const startOf = (name: string, what: 'old' | 'tmp'): string => {
  const end = `.${what}-`;
  return `${shortened(name, MAX_NAME_LENGTH - end.length - 2 * RANDOM_BYTES)}${end}`;
};

/** Returns a new name for a sibling of a folder. */
export const siblingOf = (name: string, what: 'old' | 'tmp'): string =>
  `${startOf(name, what)}${bytesToHex(randomBytes(RANDOM_BYTES))}`;

/** Whether `other` is the name of such a sibling. */
export const isSiblingOf = (name: string, what: 'old' | 'tmp', other: string): boolean => {
  const start = startOf(name, what);
  return other.startsWith(start) && /^[0-9a-f]{12}$/.test(other.slice(start.length));
};

/**
 * Creates the folders above a place, durably. Returns a function that removes the created folders that are still empty.
 */
export const makeParents = async (place: Place): Promise<() => Promise<void>> => {
  const made: Place[] = [];
  const make = async (folder: Place | undefined): Promise<void> => {
    if (folder === undefined || (await folder.parent.entry(folder.name)) !== undefined) {
      return;
    }
    const { parent, name } = folder;
    await make(folder.above());
    try {
      await parent.makeFolder(name);
    } catch (error) {
      if ((await parent.entry(name)) === undefined) {
        throw error;
      }
      // Another process was faster, so the folder is not ours to remove.
      return;
    }
    made.push(folder);
    await parent.syncFolder('.');
  };
  await io(`making the folder above ${place.path}`, make(place.above()));
  return async () => {
    try {
      for (const { parent, name } of made.reverse()) {
        await parent.removeFolder(name);
      }
    } catch {
      // Another process has put something into the folder.
    }
  };
};
