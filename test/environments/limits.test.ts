/**
 * Engines without WebAssembly or memory, and servers: each call rejects with `Unsupported` and names the missing part.
 */
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { findRuntime } from '../runtime/find-runtime.ts';
import { environmentTest as test } from './environment-test.ts';
import { nodeOf } from './node-versions.ts';
import { APPS, TOOLS } from './places.ts';
import { runProgram } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const app = join(APPS, 'node', 'main.js');

test('--jitless has no WebAssembly', async () => {
  const { stdout } = await runProgram(process.execPath, ['--jitless', app, join(folder(), 'repo')], { cwd: TOOLS });
  expect(stdout).toMatch(/^RepoError Unsupported: SQLite needs WebAssembly/);
});

test('ulimit -v leaves no memory for WebAssembly', async () => {
  const script = 'ulimit -v 6000000; exec "$0" "$@"';
  const args = ['-c', script, process.execPath, app, join(folder(), 'repo')];
  const { stdout } = await runProgram('bash', args, { cwd: TOOLS });
  expect(stdout).toMatch(/^RepoError Unsupported: there is not enough memory for SQLite/);
});

const CALLS = [
  'createRepo',
  'openRepo',
  'listRepos',
  'deleteRepo',
  'exportFolder',
  'importFolder',
  'persist',
  'a worker object',
  'serveRepos',
  'createPageWorker',
];

const DENO = findRuntime('deno');
const BUN = findRuntime('bun');

/** The runtimes that run JavaScript on servers, each with the arguments before the script. */
const SERVERS = [
  { name: 'Node 20', program: () => nodeOf(20), args: ['--no-warnings'], isMissing: false },
  { name: 'Node 24', program: () => nodeOf(24), args: ['--no-warnings'], isMissing: false },
  { name: 'Deno', program: async () => DENO!, args: ['run', '--no-prompt'], isMissing: DENO === undefined },
  { name: 'Bun', program: async () => BUN!, args: [], isMissing: BUN === undefined },
];

for (const { name, program, args, isMissing } of SERVERS) {
  describe.skipIf(isMissing)(`a server that renders a page in ${name}${isMissing ? ' (not found)' : ''}`, () => {
    test('imports the entry points for browsers, and gets an error that names the missing parts', {
      timeout: 240_000,
    }, async () => {
      const cwd = join(APPS, 'server');
      const { stdout, output } = await runProgram(await program(), [...args, join(cwd, 'render.js')], { cwd });
      const expected = [...CALLS.map((call) => `${call} RepoError Unsupported true`), 'no new globals', ''];
      expect(stdout, output).toBe(expected.join('\n'));
    });
  });
}
