/** Where the tests of the environments keep what they install and build. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../house/sources.ts';

/**
 * The folder whose node_modules have the tools and the packed package. The apps are below it, and find both
 * there.
 */
export const TOOLS: string = join(root, 'test', 'environments');
export const APPS: string = join(TOOLS, 'apps');
export const OUT: string = join(root, 'out', 'test', 'environments');

/** The packed package. */
export const TARBALL: string = join(OUT, 'pdsdb.tgz');

export const hasTools: boolean = existsSync(join(TOOLS, 'node_modules', '.package-lock.json'));

/** The program of a tool. */
export const tool = (name: string): string => join(TOOLS, 'node_modules', '.bin', name);

/** An empty folder below {@link OUT}. */
export const emptyFolder = async (name: string): Promise<string> => {
  const folder = join(OUT, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
};
