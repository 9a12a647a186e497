/** The entry point for Node in one file, run outside of the package. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { BuildOptions } from 'esbuild';
import { describe, expect } from 'vitest';
import { findRuntime } from '../runtime/find-runtime.ts';
import { environmentTest as test } from './environment-test.ts';
import { APPS, TOOLS } from './places.ts';
import { runProgram, runToEnd } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const WASM = join(TOOLS, 'node_modules', 'pdsdb', 'dist', 'wasm', 'sql-wasm.wasm');

const bundle = async (entry: string, name: string, options: BuildOptions): Promise<void> => {
  await build({
    entryPoints: [join(APPS, 'node', entry)],
    outfile: join(folder(), name),
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    ...options,
  });
};

const run = (name: string) => runProgram(process.execPath, [name, 'repo'], { cwd: folder() });

const FORMATS = [
  ['esm', 'main.mjs'],
  ['cjs', 'main.cjs'],
] as const;

describe.each(FORMATS)('esbuild, %s', (format, name) => {
  test('with the bytes of the wasm file in the bundle', async () => {
    await bundle('with-bytes.js', name, { format, loader: { '.wasm': 'binary' } });
    expect(await run(name)).toMatchObject({ output: 'hello\n', code: 0 });
  });

  test('without the file, names the option to pass', async () => {
    await bundle('main.js', name, { format, logLevel: 'silent' });
    const { output, code } = await run(name);
    expect(output).toMatch(/^RepoError Unsupported: the file of SQLite.* is missing: pass the option `wasm`, /);
    expect(code).toBe(1);
  });
});

test('webpack for Node', async () => {
  const config = {
    context: join(APPS, 'node'),
    mode: 'production',
    target: 'node20',
    entry: './main.js',
    output: { path: folder(), filename: 'main.cjs' },
    optimization: { minimize: false },
  };
  await writeFile(join(folder(), 'config.json'), JSON.stringify(config));
  // webpack emits the file of `new URL`, and needs no option for it.
  const script = `
    const config = require(process.argv[1]);
    require('webpack')(config, (error, stats) => {
      if (error || stats.hasErrors()) { console.error(error ?? stats.toString('errors-only')); process.exitCode = 1; }
    });
  `;
  await runToEnd(process.execPath, ['-e', script, join(folder(), 'config.json')], { cwd: TOOLS });
  expect(await run('main.cjs')).toMatchObject({ output: 'hello\n', code: 0 });
});

const bun = findRuntime('bun');

describe.skipIf(bun === undefined)(`bun build --compile${bun === undefined ? ' (bun not found)' : ''}`, () => {
  const compile = async (entry: string): Promise<string> => {
    const program = join(folder(), 'program');
    await runToEnd(bun!, ['build', '--compile', join(APPS, 'node', entry), '--outfile', program], { cwd: folder() });
    return program;
  };

  test('with the wasm file in the program', async () => {
    const program = await compile('with-path.js');
    expect(await runProgram(program, ['repo'], { cwd: folder() })).toMatchObject({ output: 'hello\n', code: 0 });
  });

  test('without the file, names the option to pass', async () => {
    const { output, code } = await runProgram(await compile('main.js'), ['repo'], { cwd: folder() });
    expect(output).toContain('pass the option `wasm`');
    expect(code).toBe(1);
  });

  test('with the wasm file beside the program', async () => {
    const program = await compile('with-argument.js');
    await copyFile(WASM, join(folder(), 'sql-wasm.wasm'));
    const { output } = await runProgram(program, ['repo', join(folder(), 'sql-wasm.wasm')], { cwd: folder() });
    expect(output).toBe('hello\n');
  });
});
