/** The program of docs/guides/write-offline.md runs unchanged, twice, with a real PDS. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { root, textOf } from '../house/sources.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { useNetwork } from './network.ts';
import { lacksPds, why } from './network-test.ts';

const PROGRAM = /^```ts\n(\/\/ write-offline\.mjs[\s\S]*?)^```$/m;

describe.skipIf(lacksPds)(`docs/guides/write-offline.md${why}`, () => {
  const network = useNetwork();
  const folder = scratchFolder('write-offline');

  test('writes offline, and pushes', async () => {
    const program = join(root, 'out', 'test', 'children', 'write-offline.mjs');
    await build({
      stdin: { contents: PROGRAM.exec(textOf('docs/guides/write-offline.md'))![1]!, resolveDir: root, loader: 'js' },
      alias: { 'pdsdb/node': join(root, 'src/node.ts'), 'pdsdb/sync': join(root, 'src/sync.ts') },
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['sql.js'],
      packages: 'bundle',
      target: 'node20',
      logLevel: 'warning',
    });
    const { did, password } = await network.pds[0]!.createAccount();
    const env = { ...process.env, IDENTIFIER: did, PASSWORD: password, PLC_URL: network.plcUrl };
    const run = async (): Promise<string> =>
      (await promisify(execFile)(process.execPath, [program], { cwd: folder, env })).stdout;
    expect(await run()).toBe(
      'first Written on a plane create\nsecond Also pending create\ndone 2 landed 0 in conflict\npending: 0\n',
    );
    expect(await run()).toBe(
      'first Written on a plane at the host\nsecond Also pending at the host\ndone 0 landed 0 in conflict\npending: 0\n',
    );
  });
});
