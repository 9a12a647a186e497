/** Many repositories open in one process: their caches share one budget, and those that are closed hold nothing. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { scratchFolder } from '../adapters/scratch.ts';
import { root } from '../house/sources.ts';

const COUNT = 200;
const RECORDS = 300;

interface Memory {
  readonly rss: number;
  readonly heap: number;
  readonly buffers: number;
}

test(`${COUNT} repositories that were read whole take less than 300 MB, and nothing once closed`, async () => {
  const folder = scratchFolder('many');
  // Inside the project, where its packages are found.
  const child = join(root, 'out', 'test', 'large', 'many-repos-child.mjs');
  await build({
    entryPoints: [join(root, 'test', 'large', 'many-repos-child.ts')],
    outfile: child,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    target: 'node20',
    logLevel: 'warning',
  });
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    child,
    folder,
    String(COUNT),
    String(RECORDS),
  ]);
  const { start, open, closed, read, referenced } = JSON.parse(stdout) as Record<'start' | 'open' | 'closed', Memory> &
    Record<'read' | 'referenced', number>;
  expect([read, referenced]).toEqual([COUNT * RECORDS, COUNT]);
  expect(open.rss).toBeLessThan(300);
  // The objects of the closed repositories are referenced still; what they held is not.
  expect(closed.heap - start.heap).toBeLessThan(12);
  expect(closed.buffers).toBeLessThan(4);
});
