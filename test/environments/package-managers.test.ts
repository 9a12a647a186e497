/** Package managers with which a package can import only its own dependencies. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { environmentTest as test } from './environment-test.ts';
import { APPS, TARBALL, tool } from './places.ts';
import { runProgram, runToEnd } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

const writeApp = async (): Promise<void> => {
  const manifest = { name: 'app', private: true, type: 'module', dependencies: { pdsdb: `file:${TARBALL}` } };
  await writeFile(join(folder(), 'package.json'), JSON.stringify(manifest));
  for (const name of ['main.js', 'run-app.js']) {
    await copyFile(join(APPS, 'node', name), join(folder(), name));
  }
};
const registry = async (): Promise<string> =>
  (await runToEnd('npm', ['config', 'get', 'registry'], { cwd: '/' })).trim();

test('pnpm', async () => {
  await writeApp();
  const env = { npm_config_registry: await registry(), XDG_DATA_HOME: join(folder(), 'pnpm') };
  const args = [tool('pnpm'), 'install', '--ignore-scripts', '--prefer-offline', '--ignore-workspace'];
  await runToEnd(process.execPath, args, { cwd: folder(), env });
  expect(await runProgram(process.execPath, ['main.js', 'repo'], { cwd: folder() })).toMatchObject({
    output: 'hello\n',
  });
});

test('Yarn with Plug’n’Play', async () => {
  await writeApp();
  await writeFile(join(folder(), 'yarn.lock'), '');
  const env = {
    YARN_NPM_REGISTRY_SERVER: (await registry()).replace(/\/$/, ''),
    YARN_NODE_LINKER: 'pnp',
    YARN_ENABLE_GLOBAL_CACHE: 'false',
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_ENABLE_TELEMETRY: 'false',
    YARN_ENABLE_SCRIPTS: 'false',
  };
  await runToEnd(process.execPath, [tool('yarn'), 'install'], { cwd: folder(), env });
  const run = [tool('yarn'), 'node', 'main.js', 'repo'];
  expect(await runProgram(process.execPath, run, { cwd: folder(), env })).toMatchObject({ output: 'hello\n' });
});
