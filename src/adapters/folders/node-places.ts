/** Folders, as backups and salvages need them, through `node:fs`: for Node and Bun. */
import { realpathSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ParentFolder, Place } from './place.ts';
import { nodeFolder } from '../blobs/node-blobs.ts';

/** A folder that other folders lie in. */
export const nodeParent = (directory: string): ParentFolder => {
  const path = resolve(directory);
  return { ...nodeFolder(path), removeFolder: (inner) => fs.rmdir(join(path, inner)) };
};

/** The absolute path, behind symbolic links where they lead to something: a folder is replaced, and never a link. */
const followed = (directory: string): string => {
  const path = resolve(directory);
  try {
    return realpathSync(path);
  } catch {
    // Nothing is there, or it may not be looked at. Whoever uses the path says so.
    return path;
  }
};

/** A folder, which need not be there, in the one that it lies in. */
export const nodePlace = (directory: string): Place => {
  const path = followed(directory);
  const above = dirname(path);
  return { parent: nodeParent(above), name: basename(path), path: directory, above: () => nodePlace(above) };
};

/** The path of a folder beside another one. */
export const besideNode = (directory: string, name: string): string => join(dirname(followed(directory)), name);
