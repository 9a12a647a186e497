/** The package as it is published, for tests that run it in processes of their own. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './house/sources.ts';

/**
 * Builds the package into a folder of its own below `out/` and returns that folder. In it, `pdsdb` names the package
 * itself. Each test file gives another name: they run at the same time.
 */
export const buildPackage = async (name: string): Promise<string> => {
  const folder = join(root, 'out', 'test', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await promisify(execFile)(process.execPath, [join(root, 'build.mjs'), '--out', join(folder, 'dist')]);
  } catch (error) {
    throw new Error(`the package does not build:\n${(error as { stdout: string }).stdout}`, { cause: error });
  }
  await copyFile(join(root, 'package.json'), join(folder, 'package.json'));
  // Deno looks for packages beside package.json and no further up.
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
};
