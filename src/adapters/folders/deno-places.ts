/** Folders for backups and salvages, with Deno's own API. */
import type { ParentFolder, Place } from './place.ts';
import { denoApi, denoPath } from '../blobs/deno-api.ts';
import { denoFolder } from '../blobs/deno-blobs.ts';

/** Returns a folder that contains other folders. */
export const denoParent = (directory: string): ParentFolder => {
  const deno = denoApi();
  const path = denoPath(deno, directory);
  return { ...denoFolder(deno, path), removeFolder: (inner) => deno.remove(`${path}/${inner}`) };
};

/** Resolves symbolic links, so that a folder is replaced and never a link. */
const followed = (path: string): string => {
  try {
    return denoApi().realPathSync(path);
  } catch {
    // The path is missing or cannot be read. Its use reports that.
    return path;
  }
};

/** Returns the parent folder of a path, and the name in it. */
const splitPath = (directory: string): { readonly above: string; readonly name: string } => {
  const path = followed(denoPath(denoApi(), directory)).replace(/[/\\]+$/, '');
  const end = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return { above: end < 0 ? '.' : path.slice(0, Math.max(end, 1)), name: path.slice(end + 1) };
};

/** Returns a folder, which may be missing, with its parent folder. */
export const denoPlace = (directory: string): Place => {
  const { above, name } = splitPath(directory);
  return { parent: denoParent(above), name, path: directory, above: () => denoPlace(above) };
};

/** Returns the path of a sibling folder. */
export const besideDeno = (directory: string, name: string): string => `${splitPath(directory).above}/${name}`;
