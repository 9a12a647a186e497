/** Folders, as backups and salvages need them, through `node:fs`: for Node and Bun. */
import * as fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ParentFolder, Place } from './backup.ts';
import { nodeFolder } from '../blobs/node-blobs.ts';

/** A folder that other folders lie in. */
export const nodeParent = (directory: string): ParentFolder => {
  const path = resolve(directory);
  return { ...nodeFolder(path), removeFolder: (inner) => fs.rmdir(join(path, inner)) };
};

/** A folder, which need not be there, in the one that it lies in. */
export const nodePlace = (directory: string): Place => {
  const path = resolve(directory);
  return { parent: nodeParent(dirname(path)), name: basename(path), path: directory };
};

/** The path of a folder beside another one. */
export const besideNode = (directory: string, name: string): string => join(dirname(resolve(directory)), name);
