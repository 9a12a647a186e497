/** Folders, as backups and salvages need them, through Deno's own calls. */
import type { ParentFolder, Place } from './place.ts';
import { denoApi, denoPath } from '../blobs/deno-api.ts';
import { denoFolder } from '../blobs/deno-blobs.ts';

/** A folder that other folders lie in. */
export const denoParent = (directory: string): ParentFolder => {
  const deno = denoApi();
  const path = denoPath(deno, directory);
  return { ...denoFolder(deno, path), removeFolder: (inner) => deno.remove(`${path}/${inner}`) };
};

/** The path behind symbolic links where they lead to something: a folder is replaced, and never a link. */
const followed = (path: string): string => {
  try {
    return denoApi().realPathSync(path);
  } catch {
    // Nothing is there, or it may not be looked at. Whoever uses the path says so.
    return path;
  }
};

/** The folder above a path, and the name in it. */
const splitPath = (directory: string): { readonly above: string; readonly name: string } => {
  const path = followed(denoPath(denoApi(), directory)).replace(/[/\\]+$/, '');
  const end = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return { above: end < 0 ? '.' : path.slice(0, Math.max(end, 1)), name: path.slice(end + 1) };
};

/** A folder, which need not be there, in the one that it lies in. */
export const denoPlace = (directory: string): Place => {
  const { above, name } = splitPath(directory);
  return { parent: denoParent(above), name, path: directory, above: () => denoPlace(above) };
};

/** The path of a folder beside another one. */
export const besideDeno = (directory: string, name: string): string => `${splitPath(directory).above}/${name}`;
