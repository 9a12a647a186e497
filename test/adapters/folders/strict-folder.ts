/** A simulated file system that ignores case, keeps the first spelling, and refuses what Windows refuses. */
import { basename, dirname } from 'node:path';
import { nodeParent } from '../../../src/adapters/folders/node-places.ts';
import type { ParentFolder, Place } from '../../../src/adapters/folders/place.ts';

const REFUSED = /[<>:"|?*\\\u0000-\u001f]|[. ]$|^(?:aux|com\d|con|lpt\d|nul|prn)(?:\.|$)/i;

const refusedNames = (path: string): string[] =>
  path.split('/').filter((name) => name !== '.' && (REFUSED.test(name) || name.length > 255));

/** Wraps a folder. `spellings` has the name of each path as it was first written. */
const ignoringCase = (folder: ParentFolder, spellings: Map<string, string>): ParentFolder => {
  const fold = (path: string): string => path.toLowerCase();
  const write = (path: string): string => {
    const refused = refusedNames(path);
    if (refused.length > 0) {
      throw Object.assign(new Error(`invalid name: ${refused.join(', ')}`), { code: 'EINVAL' });
    }
    const folded = fold(path);
    if (!spellings.has(folded)) {
      spellings.set(folded, basename(path));
    }
    return folded;
  };
  return {
    ...folder,
    entry: (path) => folder.entry(fold(path)),
    async *names(path) {
      for await (const name of folder.names(fold(path))) {
        yield spellings.get(fold(`${path}/${name}`)) ?? name;
      }
    },
    makeFolder: async (path) => folder.makeFolder(write(path)),
    create: async (path) => folder.create(write(path)),
    read: (path) => folder.read(fold(path)),
    blob: (path) => folder.blob(fold(path)),
    remove: (path) => folder.remove(fold(path)),
    removeFolder: (path) => folder.removeFolder(fold(path)),
    syncFolder: (path) => folder.syncFolder(fold(path)),
    async rename(from, to) {
      const [before, after] = [fold(from), write(to)];
      await folder.rename(before, after);
      for (const [path, name] of [...spellings]) {
        if (path.startsWith(`${before}/`)) {
          spellings.set(after + path.slice(before.length), name);
        }
      }
    },
  };
};

/** Returns the place of a folder on a file system that ignores case. */
export const strictPlace = (directory: string): Place => ({
  parent: ignoringCase(nodeParent(dirname(directory)), new Map()),
  name: basename(directory),
  path: directory,
  above: () => undefined,
});
