/** The folders of the tests of the environments. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../house/sources.ts';

/**
 * The folder whose node_modules have the tools and the packed package. The apps are in its subfolders and find both
 * there.
 */
export const TOOLS: string = join(root, 'test', 'environments');
export const APPS: string = join(TOOLS, 'apps');
export const OUT: string = join(root, 'out', 'test', 'environments');

/** The packed package. */
export const TARBALL: string = join(OUT, 'pdsdb.tgz');

export const hasTools: boolean = existsSync(join(TOOLS, 'node_modules', '.package-lock.json'));

/** Returns the path of a tool. */
export const tool = (name: string): string => join(TOOLS, 'node_modules', '.bin', name);

/** Creates an empty folder below {@link OUT}. */
export const emptyFolder = async (name: string): Promise<string> => {
  const folder = join(OUT, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
};
