/** Folders for backups and salvages, with `node:fs`, for Node and Bun. */
import { realpathSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ParentFolder, Place } from './place.ts';
import { nodeFolder } from '../blobs/node-blobs.ts';

/** Returns a folder that contains other folders. */
export const nodeParent = (directory: string): ParentFolder => {
  const path = resolve(directory);
  return { ...nodeFolder(path), removeFolder: (inner) => fs.rmdir(join(path, inner)) };
};

/** Returns the absolute path with symbolic links resolved, so that a folder is replaced and never a link. */
const followed = (directory: string): string => {
  const path = resolve(directory);
  try {
    return realpathSync(path);
  } catch {
    // The path is missing or cannot be read. Its use reports that.
    return path;
  }
};

/** Returns a folder, which may be missing, with its parent folder. */
export const nodePlace = (directory: string): Place => {
  const path = followed(directory);
  const above = dirname(path);
  return { parent: nodeParent(above), name: basename(path), path: directory, above: () => nodePlace(above) };
};

/** Returns the path of a sibling folder. */
export const besideNode = (directory: string, name: string): string => join(dirname(followed(directory)), name);
