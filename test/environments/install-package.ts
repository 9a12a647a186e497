/** Packs the package and installs it beside the tools, once for all test files of the environments. */
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildPackage } from '../built-package.ts';
import { root } from '../house/sources.ts';
import { OUT, TARBALL, TOOLS, emptyFolder, hasTools } from './places.ts';
import { runToEnd } from './run-program.ts';

/** Global setup: vitest calls it before the first test file. */
export const setup = async (): Promise<void> => {
  if (!hasTools) {
    return;
  }
  await emptyFolder('.');
  const built = await buildPackage('environments/package');
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    await cp(join(root, name), join(built, name));
  }
  const options = { cwd: OUT };
  const packed = await runToEnd('npm', ['pack', '--silent', '--ignore-scripts', built], options);
  await rename(join(OUT, packed.trim()), TARBALL);
  // npm does not replace a package of the same name and version.
  await rm(join(TOOLS, 'node_modules', 'pdsdb'), { recursive: true, force: true });
  const flags = ['--no-save', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--silent'];
  await runToEnd('npm', ['install', ...flags, TARBALL], { cwd: TOOLS });
};
