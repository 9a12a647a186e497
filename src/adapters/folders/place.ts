/** Folders as backups and restorations need them: by the folder that they lie in, and replaced as a whole. */
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { BlobFolder } from '../blobs/blob-folder.ts';

/** What is needed of the folder in which backups and repositories lie. */
export interface ParentFolder extends BlobFolder {
  /** Removes a folder that is empty. */
  removeFolder(path: string): Promise<void>;
}

/** A folder, by the one that it lies in. */
export interface Place {
  readonly parent: ParentFolder;
  /** Its name in there. */
  readonly name: string;
  /** As the caller has named it, for messages. */
  readonly path: string;
  /** The folder that it lies in, as such a place; `undefined` when that is known to be there. */
  above(): Place | undefined;
}

/** What the storage throws, in the words of this library. */
export const io = async <T>(doing: string, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw toStorageError(error, doing);
  }
};

/** Removes a folder with all that is in it, and follows no link. */
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

/** What file systems allow for a name, in bytes. */
const MAX_NAME_LENGTH = 255;

/** The text, or its beginning that fits in so many bytes of UTF-8. */
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

/** The name of a sibling up to its random end. It fits, however long the folder's is. */
const startOf = (name: string, what: 'old' | 'tmp'): string => {
  const end = `.${what}-`;
  return `${shortened(name, MAX_NAME_LENGTH - end.length - 2 * RANDOM_BYTES)}${end}`;
};

/** A sibling of a folder, which nobody else has. */
export const siblingOf = (name: string, what: 'old' | 'tmp'): string =>
  `${startOf(name, what)}${bytesToHex(randomBytes(RANDOM_BYTES))}`;

/** Whether `other` is the name of such a sibling. */
export const isSiblingOf = (name: string, what: 'old' | 'tmp', other: string): boolean => {
  const start = startOf(name, what);
  return other.startsWith(start) && /^[0-9a-f]{12}$/.test(other.slice(start.length));
};

/**
 * Makes the folders above a place, durably. Returns how to take back those that were made, as far as they are still
 * empty.
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
      // Somebody was faster, and it is not ours.
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
      // Somebody has put something there: it is not ours to remove, and no loss.
    }
  };
};
