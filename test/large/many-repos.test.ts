/** Many repositories open in one process. Their caches share one budget, and closed repositories take no memory. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { scratchFolder } from '../adapters/scratch.ts';
import { bundleChild } from '../bundled-child.ts';

const COUNT = 200;
const RECORDS = 300;

interface Memory {
  readonly rss: number;
  readonly heap: number;
  readonly buffers: number;
}

test(`${COUNT} completely read repositories take less than 300 MB, and none after they are closed`, async () => {
  const folder = scratchFolder('many');
  const child = await bundleChild('test/large/many-repos-child.ts');
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
  // The closed repositories are still referenced, but not their content.
  expect(closed.heap - start.heap).toBeLessThan(12);
  expect(closed.buffers).toBeLessThan(4);
});
