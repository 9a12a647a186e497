/** Test runners that run code in a separate realm, whose platform classes differ from those of `node:fs`. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { environmentTest as test } from './environment-test.ts';
import { APPS, tool } from './places.ts';
import { runProgram } from './run-program.ts';

const cwd = join(APPS, 'test-runners');

test('jest, with ES modules', async () => {
  const jest = [tool('jest'), '--config', 'jest.config.js', '--no-cache'];
  const { code, output } = await runProgram(process.execPath, ['--experimental-vm-modules', ...jest], { cwd });
  expect(output).toContain('2 passed, 2 total');
  expect(code).toBe(0);
});

test.each([
  ['vmThreads', ['--pool=vmThreads']],
  ['threads with jsdom', ['--pool=threads', '--environment=jsdom']],
  ['vmThreads with jsdom', ['--pool=vmThreads', '--environment=jsdom']],
])('vitest in %s', async (_name, flags) => {
  const { code, output } = await runProgram(process.execPath, [tool('vitest'), 'run', ...flags], { cwd });
  expect(output).toMatch(/Tests +2 passed \(2\)/);
  expect(code).toBe(0);
});
