/** Test vectors of other projects, from `test/vectors/`. A missing one throws, which fails the tests that read it. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('vectors', import.meta.url));

/** Returns the path of a file or folder. `path` is relative to `test/vectors/`. */
export const vectorPath = (path: string): string => join(root, path);

export const vectorText = (path: string): string => readFileSync(vectorPath(path), 'utf8');

export const vectorBytes = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(vectorPath(path)));

export const vectorJson = <T>(path: string): T => JSON.parse(vectorText(path)) as T;

/** Returns the names in a folder that match the pattern, in order. Throws if none does. */
export const vectorNames = (folder: string, pattern: RegExp): string[] => {
  const names = readdirSync(vectorPath(folder)).filter((name) => pattern.test(name));
  if (names.length === 0) {
    throw new Error(`No file in test/vectors/${folder} matches ${pattern}. Restore the folder with git.`);
  }
  return names.sort();
};
