/** Builds that test files share: one build per state of its inputs, which stays below `out/`. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { root } from './house/sources.ts';

/** Inputs of every build: the build itself, and the versions of all packages. */
const ALWAYS = [
  'build.mjs',
  'build-prune.mjs',
  'build-types.mjs',
  'build-wasm.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/** A build of another state of the sources that is older than this is removed. */
const OLD_MS = 3_600_000;

const filesOf = (path: string): string[] =>
  statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
    : [path];

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Returns the folder of a build, which no test may change. Builds it if it is missing. Two test files that start at
 * the same time both build it, and one result is kept.
 * @param name A name for the folder.
 * @param inputs The files and folders that the build reads, from the root.
 * @param build Writes the result into an empty folder.
 */
export const buildOnce = async (
  name: string,
  inputs: readonly string[],
  build: (folder: string) => Promise<void>,
): Promise<string> => {
  const hash = createHash('sha256');
  for (const path of [...ALWAYS, ...inputs].flatMap((input) => filesOf(join(root, input)))) {
    hash.update(`${relative(root, path)}\0`).update(readFileSync(path));
  }
  const all = join(root, 'out', 'test', 'built');
  const folder = join(all, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(folder)) {
    return folder;
  }
  await mkdir(all, { recursive: true });
  const temporary = await mkdtemp(join(all, `${name}-`));
  await build(temporary);
  await rename(temporary, folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') {
      throw error;
    }
    // The other test file was faster.
    await rm(temporary, { recursive: true });
  });
  for (const other of readdirSync(all).filter((entry) => entry.startsWith(`${name}-`))) {
    const path = join(all, other);
    if (path !== folder && Date.now() - statSync(path).mtimeMs > OLD_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
  return folder;
};
