/** The bench of PostgreSQL runs, and prints each of its rows. */
import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { buildPackage } from '../built-package.ts';
import { root } from '../house/sources.ts';
import { lacksPostgres, why } from './postgres-test.ts';

describe.skipIf(lacksPostgres)(`the bench of PostgreSQL${why}`, () => {
  test('prints each row, from a durable server', async () => {
    const folder = await buildPackage('bench-postgres');
    const isSource = (path: string): boolean => !/\/(out|node_modules)$/.test(path);
    await cp(join(root, 'bench'), join(folder, 'bench'), { recursive: true, filter: isSource });
    await mkdir(join(folder, 'test'));
    await symlink(join(root, 'test/postgres'), join(folder, 'test/postgres'), 'dir');
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'bench/postgres.mjs'), '--quick']);
    const lines = stdout.split('\n');
    expect(lines[0]).toContain('fsync=on synchronous_commit=on');
    for (const name of ['import', 'export', 'verify', 'list 1,000', 'put, 5 times']) {
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^beside: ${name} .* ratio \\d.* round trips$`)));
    }
    for (const name of ['put', 'cold get', 'list 1,000']) {
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^latency: ${name} .* round trips of 3 ms`)));
    }
    for (const row of [
      /^host: sqlite .* [1-9]\d* commits a second$/,
      /^host: postgres .* [1-9]\d* commits a second$/,
      /^accounts: 50 of 100 records made/,
      /^accounts: 50 listed/,
      /^size: .* 6550 blocks/,
      /^size: blocks .* indexes/,
      /^open: .* round trips$/,
      /^commits: of 32 accounts/,
    ]) {
      expect(lines).toContainEqual(expect.stringMatching(row));
    }
  }, 300_000);
});
