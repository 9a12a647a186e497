/** The oldest and the newest supported compilers check the published declarations completely. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { environmentTest as test } from './environment-test.ts';
import { APPS, TOOLS } from './places.ts';
import { runProgram } from './run-program.ts';

test.each(['typescript-5.4', 'typescript-5.9', 'typescript-7'])('%s with lib ES2022 and DOM', async (name) => {
  const folder = join(APPS, 'declarations', 'out', name);
  await mkdir(folder, { recursive: true });
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    lib: ['ES2022', 'DOM'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const config = join(folder, 'tsconfig.json');
  await writeFile(config, JSON.stringify({ compilerOptions, files: [join(APPS, 'declarations', 'imports.ts')] }));
  const compiler = join(TOOLS, 'node_modules', name, 'bin', 'tsc');
  const { output, code } = await runProgram(process.execPath, [compiler, '-p', config, '--pretty', 'false'], {
    cwd: TOOLS,
  });
  expect(output).toBe('');
  expect(code).toBe(0);
});
