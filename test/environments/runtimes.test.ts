/** The installed package in other runtimes, with permissions for the folder of the repository only. */
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { findRuntime } from '../runtime/find-runtime.ts';
import { environmentTest as test } from './environment-test.ts';
import { APPS } from './places.ts';
import { runProgram } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const deno = findRuntime('deno');

describe.skipIf(deno === undefined)(`Deno${deno === undefined ? ' (not found)' : ''}`, () => {
  test('reads the wasm file of the package without a permission', async () => {
    const flags = ['run', '--no-prompt', `--allow-read=${folder()}`, `--allow-write=${folder()}`];
    const script = join(APPS, 'deno', 'run-app.js');
    const { stdout } = await runProgram(deno!, [...flags, script, join(folder(), 'repo')], { cwd: join(APPS, 'deno') });
    expect(stdout).toBe('hello\n');
  });
});
