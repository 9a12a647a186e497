/** The built package, as it is published, for tests that run it in separate processes. */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildOnce } from './build-once.ts';
import { root } from './house/sources.ts';

/** Returns the folder with the built `dist`, which all tests share and none changes. */
export const builtDist = (): Promise<string> =>
  buildOnce('dist', ['src'], async (folder) => {
    try {
      await promisify(execFile)(process.execPath, [join(root, 'build.mjs'), '--out', folder]);
    } catch (error) {
      throw new Error(`the package does not build:\n${(error as { stdout: string }).stdout}`, { cause: error });
    }
  });

/**
 * Returns a separate folder below `out/` with the built package. In it, the name `pdsdb` resolves to the package. Each
 * test file passes another name, because test files run at the same time.
 */
export const buildPackage = async (name: string): Promise<string> => {
  const folder = join(root, 'out', 'test', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(await builtDist(), join(folder, 'dist'), { recursive: true });
  await copyFile(join(root, 'package.json'), join(folder, 'package.json'));
  // Deno looks for packages only in the folder of package.json.
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
};
