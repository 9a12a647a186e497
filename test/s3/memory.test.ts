/** The memory that a large blob needs. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bundleChild } from '../bundled-child.ts';
import { lacksS3, makeBucket, why } from './s3-server.ts';

/** More than the memory that is permitted for it. */
const MEGABYTES = 200;

test.skipIf(lacksS3)(`a blob of ${MEGABYTES} MB takes at most 40 MB of memory${why}`, async () => {
  const bucket = await makeBucket();
  const child = await bundleChild('test/s3/memory-child.ts');
  const args = ['--expose-gc', child, JSON.stringify(bucket.options), String(MEGABYTES)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  console.log(stdout.trim());
  const { size, found, put, get } = JSON.parse(stdout) as Record<'size' | 'found' | 'put' | 'get', number>;
  expect([size, found]).toEqual([MEGABYTES * 1_000_000, MEGABYTES * 1_000_000]);
  // Two parts are in memory.
  expect(put).toBeGreaterThan(5);
  expect(put).toBeLessThan(40);
  expect(get).toBeLessThan(40);
});
