/** `node --permission`, in every version that has it, with permissions for the code and for one folder. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { environmentTest as test } from './environment-test.ts';
import { APPS, TOOLS } from './places.ts';
import { nodeOf } from './node-versions.ts';
import { runProgram } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

const run = async (version: number, flags: readonly string[]) => {
  const permission = version === 20 ? '--experimental-permission' : '--permission';
  return runProgram(
    await nodeOf(version),
    [
      '--no-warnings',
      permission,
      `--allow-fs-read=${TOOLS}/`,
      ...flags,
      join(APPS, 'node', 'main.js'),
      join(folder(), 'repo'),
    ],
    { cwd: TOOLS },
  );
};

test.each([20, 22, 24, 26])('node %i', { timeout: 240_000 }, async (version) => {
  const flags = [`--allow-fs-read=${folder()}/`, `--allow-fs-write=${folder()}/`];
  expect(await run(version, flags)).toMatchObject({ output: 'hello\n', code: 0 });
});

test('without permission to write, names the flag', async () => {
  const { output } = await run(20, [`--allow-fs-read=${folder()}/`]);
  expect(output).toMatch(/^RepoError StorageFailed: .* is not permitted; run node --permission with --allow-fs-read=/);
});
